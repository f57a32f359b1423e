"""How fast a folder is colorized: files and network at the same time against one picture after the other.

    python tools/benchmark_folder.py PHOTOGRAPHS [--model unet] [--working-size 64] [--megapixels 2] [--pictures 100]

The plain way is the loop that anybody writes: read, colorize, write, next. Ours is `densecolor.colorize_files`, by
itself and with other numbers of threads. All get the same gray copies of the photographs, JPEG to JPEG, and take turns,
so that other work on the machine meets all of them. Printed are the medians of pictures per second, and by how much
the process had grown in the last third of a run against the first third. Files without a network, and the network
without files, show what there is to be won. Linux only.
"""

import argparse
import functools
import re
import statistics
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from densecolor import models
from densecolor.image_io import find_images
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize_files
from densecolor.inference import colorize_with_account
from densecolor.inference.panels import gray_of
from densecolor.inference.picture import working_shape


class NoNetwork:
    """Neutral colour at once."""

    name = "none"
    fingerprint = "none"

    def __init__(self, working_size):
        self.working_size = working_size

    def predict_on_batch(self, inputs):
        """Nothing is predicted."""
        return {"ab": np.zeros((*inputs["lightness"].shape[:3], 2), np.float32)}


def prepare(photographs, folder, count, megapixels):
    """Write gray copies of the first photographs, of so many megapixels or as large as they are; their paths."""
    for number, path in enumerate(find_images([photographs])[:count]):
        gray = gray_of(read_image(path).pixels)[..., 0].copy()
        if megapixels:
            scale = (megapixels * 1e6 / (gray.shape[0] * gray.shape[1])) ** 0.5
            gray = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        write_image(folder / f"{number:05d}.jpg", gray)
    return find_images([folder])


def plain(paths, model, out, progress):
    """Read, colorize, write, next."""
    for number, path in enumerate(paths, start=1):
        picture = read_image(path)
        colored = colorize_with_account(picture, model, in_place=True)
        write_image(out / path.name, colored.rgb, colored.alpha)
        progress(number, len(paths))


def ours(threads, paths, model, out, progress):
    """The library's function."""
    results = colorize_files(paths, out, model, threads=threads, progress=progress)
    assert not any(result.error for result in results)


def network_alone(paths, model, out, progress):
    """The network on pictures of the same sizes, which are there already."""
    for number, path in enumerate(paths, start=1):
        shape = working_shape(*_SIZES[path], model.working_size)
        model.predict_on_batch({"lightness": np.zeros((1, *shape, 1), np.float32)})
        progress(number, len(paths))


def resident():
    """Resident memory of this process, MB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text()).group(1)) / 1000


def measure(way, paths, model):
    """Pictures per second, and growth in MB."""
    sizes = []
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        way(paths, model, Path(folder), lambda done, total: sizes.append(resident()))
        seconds = time.perf_counter() - began
    third = max(1, len(sizes) // 3)
    return len(paths) / seconds, max(sizes[-third:]) - max(sizes[:third])


_SIZES = {}


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", type=Path)
    parser.add_argument("--model", default="unet")
    parser.add_argument("--working-size", type=int, default=64)
    parser.add_argument("--megapixels", type=float, help="[default: as they are]")
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--threads", type=int, nargs="*", default=[1, 3, 8])
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    model = models.create(options.model, working_size=options.working_size)
    nothing = NoNetwork(options.working_size)
    ways = {"plain loop": (plain, model), "colorize_files": (functools.partial(ours, None), model)}
    for threads in options.threads:
        ways[f"  with {threads} thread{'s' * (threads > 1)}"] = functools.partial(ours, threads), model
    ways["files alone, plain loop"] = plain, nothing
    ways["files alone, colorize_files"] = functools.partial(ours, None), nothing
    ways["network alone"] = network_alone, model
    rates, growths = {name: [] for name in ways}, {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        paths = prepare(options.photographs, Path(folder), options.pictures, options.megapixels)
        _SIZES.update((path, read_image(path).pixels.shape[:2]) for path in paths)
        for way, used in ways.values():
            measure(way, paths[:20], used)  # graphs are traced, files cached
        for _ in range(options.runs):
            for name, (way, used) in ways.items():
                rate, growth = measure(way, paths, used)
                rates[name].append(rate)
                growths[name].append(growth)
    pixels = sum(height * width for height, width in _SIZES.values()) / len(_SIZES) / 1e6
    print(
        f"{len(paths)} pictures of {pixels:.2f} megapixels, {options.model} at {options.working_size}; median of "
        f"{options.runs} runs (lowest to highest)"
    )
    base = statistics.median(rates["plain loop"])
    for name, values in rates.items():
        median = statistics.median(values)
        print(
            f"{name:>28}: {median:7.2f} images/s ({min(values):.2f} to {max(values):.2f}), {median / base:5.2f} x, "
            f"grew by {statistics.median(growths[name]):.0f} MB"
        )


if __name__ == "__main__":
    main()
