"""Images per second of densecolor-pack against decoding alone, computing alone and a plain script, on the same files.

    python tools/benchmark_packing.py FOLDER [--image-size 256] [--processes 2] [--copies 1] [--runs 3]

Every figure is the median of fresh processes, the ways taken in turn, so that a busy machine spoils all alike. The
yardsticks' pools are timed once all their processes have started; ours is one whole call of `pack`, the start of its
processes, the hashes and the wait for the disk included. `--copies` packs the folder so many times over, under other
names, for the rate of long runs.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import h5py
import numpy as np

from densecolor.packing import open_source
from densecolor.packing import pack

PLAIN_IMAGES = 100  # as many as the plain script is given: it is slow
CHUNK = 8  # pictures that a yardstick's process takes at once

DECODE = "decode only"
COMPUTE = "decode, resize, Lab; nothing written"
PLAIN = "plain script: scikit-image, h5py gzip"


def decode(path, image_size):
    """Decode one file and do nothing else."""
    return cv2.imread(path, cv2.IMREAD_COLOR_RGB)


def compute(path, image_size):
    """What one would write in half an hour with OpenCV."""
    rgb = decode(path, image_size)
    height, width = rgb.shape[:2]
    scale = image_size / min(height, width)
    height, width = max(round(height * scale), image_size), max(round(width * scale), image_size)
    rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
    top, left = (height - image_size) // 2, (width - image_size) // 2
    rgb = rgb[top : top + image_size, left : left + image_size]
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    return np.rint(lab[..., 0] * 2.55).astype(np.uint8), np.rint(lab[..., 1:]).astype(np.int8)


def _do(job):
    function, path, image_size = job
    function(path, image_size)


def in_pool(function, paths, image_size, processes):
    """Seconds of `function` on all files in a pool that has started."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(processes, initializer=cv2.setNumThreads, initargs=(1,)) as pool:
        pool.map(_do, [(function, path, image_size) for path in paths[: 4 * processes]], 1)
        start = time.perf_counter()
        for _ in pool.imap_unordered(_do, [(function, path, image_size) for path in paths], CHUNK):
            pass
        return time.perf_counter() - start


def plain(paths, image_size, out):
    """Seconds of what the papers' repositories do, scaled to all files from the first ones."""
    import skimage.color  # here, because every process of the other ways would wait for these
    import skimage.io
    import skimage.transform

    few = paths[:PLAIN_IMAGES]
    start = time.perf_counter()
    with h5py.File(out, "w") as file:
        lightness = file.create_dataset("L", (len(few), image_size, image_size), np.float32, compression="gzip")
        ab = file.create_dataset("ab", (len(few), image_size, image_size, 2), np.float32, compression="gzip")
        for i, path in enumerate(few):
            rgb = skimage.io.imread(path)
            rgb = skimage.color.gray2rgb(rgb) if rgb.ndim == 2 else rgb[..., :3]
            lab = skimage.color.rgb2lab(skimage.transform.resize(rgb, (image_size, image_size), anti_aliasing=True))
            lightness[i], ab[i] = lab[..., 0], lab[..., 1:]
    return (time.perf_counter() - start) * len(paths) / len(few)


def ours(folder, image_size, out, compression, workers):
    """Seconds of one call."""
    start = time.perf_counter()
    pack(folder, out, image_size=image_size, compression=compression, workers=workers)
    return time.perf_counter() - start


def ways(processes):
    """The ways to measure: name -> function (folder, paths, image_size, out) -> seconds."""
    found = {
        DECODE: lambda folder, paths, size, out: in_pool(decode, paths, size, processes),
        COMPUTE: lambda folder, paths, size, out: in_pool(compute, paths, size, processes),
        PLAIN: lambda folder, paths, size, out: plain(paths, size, out),
    }
    for compression in ("none", "lzf"):
        for workers in dict.fromkeys((1, processes)):
            found[f"densecolor-pack, {compression}, {workers} process{'es'[: 2 * workers - 2]}"] = (
                lambda folder, paths, size, out, compression=compression, workers=workers: ours(
                    folder, size, out, compression, workers
                )
            )
    return found


def multiply(folder, copies, scratch):
    """A folder that holds `folder` several times over."""
    for copy in range(copies):
        os.symlink(os.path.abspath(folder), scratch / str(copy))
    return scratch


def run_way(name, arguments):
    """Do the work of one way in this process and print its seconds."""
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "source").mkdir()
        folder = multiply(arguments.folder, arguments.copies, Path(scratch) / "source")
        paths = [str(folder / entry.path) for entry in open_source(folder).entries]
        seconds = ways(arguments.processes)[name](folder, paths, arguments.image_size, Path(scratch, "packed"))
        print(len(paths), seconds)


def measure(arguments):
    """Images per second of every way.

    Returns:
        dict: name -> list of rates.
    """
    rates = {name: [] for name in ways(arguments.processes)}
    for _ in range(arguments.runs):
        for name in rates:
            command = [sys.executable, __file__, *sys.argv[1:], "--way", name]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            count, seconds = printed.split()[-2:]
            rates[name].append(int(count) / float(seconds))
    return rates


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--copies", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", help="do only this, once, and print its seconds")
    arguments = parser.parse_args()
    if arguments.way:
        run_way(arguments.way, arguments)
        return
    medians = {name: float(np.median(rates)) for name, rates in measure(arguments).items()}
    count = len(open_source(arguments.folder).entries) * arguments.copies
    print(
        f"{count} images to {arguments.image_size} x {arguments.image_size}, {arguments.processes} processes, "
        f"median of {arguments.runs}"
    )
    print(f"{'':40}{'images/s':>10}{'/ decode':>10}{'/ compute':>11}{'/ plain':>9}")
    for name, rate in medians.items():
        ratios = [rate / medians[yardstick] for yardstick in (DECODE, COMPUTE, PLAIN)]
        print(f"{name:40}{rate:10.0f}{ratios[0]:10.2f}{ratios[1]:11.2f}{ratios[2]:9.1f}")


if __name__ == "__main__":
    main()
