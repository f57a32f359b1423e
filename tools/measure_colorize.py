"""What colorizing one large picture costs, and whether its colours fade: time, peak memory, chroma against 1 megapixel.

    python tools/measure_colorize.py MODEL PHOTOGRAPH [--megapixels 1 24 100] [--suffixes .jpg .tif] [OPTIONS...]

The photograph is enlarged (a mosaic would be another picture at every size), noise is added so that it compresses like
a scan, and `densecolor-colorize` is run on each size in a process of its own, with the options that are left. Peak
memory is the process's largest resident set. Chroma is the mean over the output's pixels. The gray picture has three
equal channels, as scanners do.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.image_io import write_image

NOISE = 2.0  # standard deviation, in 8-bit values
ROWS = 256
COMMAND = "from densecolor.cli.colorize import main; main()"


def enlarged(gray, megapixels, depth):
    """The picture at a size, as RGB with three equal channels."""
    scale = (megapixels * 1e6 / gray.size) ** 0.5
    large = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    noise = np.random.default_rng(0)
    rgb = np.empty((*large.shape, 3), np.uint8 if depth == 8 else np.uint16)
    full_scale, step = np.iinfo(rgb.dtype).max, np.iinfo(rgb.dtype).max / 255
    for start in range(0, len(large), ROWS):
        band = large[start : start + ROWS] * step
        band += noise.normal(0, NOISE * step, band.shape)
        rgb[start : start + ROWS] = np.clip(np.rint(band), 0, full_scale)[..., None]
    return rgb


def mean_chroma(pixels):
    """Over all pixels, in bands."""
    total = 0.0
    for start in range(0, len(pixels), ROWS):
        ab = srgb_to_lab(pixels[start : start + ROWS])[..., 1:]
        total += np.hypot(ab[..., 0], ab[..., 1]).sum(dtype=np.float64)
    return total / (pixels.size // 3)


def measured(source, target, model, options):
    """Seconds by the clock and of all processor cores, and peak resident bytes, of a run."""
    command = [sys.executable, "-c", COMMAND, source, "--output", target, "--model", model]
    start = time.perf_counter()
    process = subprocess.Popen([*map(str, command), *options])
    _, process.returncode, usage = os.wait4(process.pid, 0)
    if process.returncode:
        sys.exit(process.returncode)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("photograph", type=Path)
    parser.add_argument("--megapixels", nargs="+", type=float, default=(1, 24, 100))
    parser.add_argument("--suffixes", nargs="+", default=(".jpg", ".tif"))
    parser.add_argument("--depth", type=int, choices=(8, 16), default=8)
    arguments, options = parser.parse_known_args()
    photograph = read_image(arguments.photograph).pixels
    gray = photograph if photograph.ndim == 2 else cv2.cvtColor(photograph, cv2.COLOR_RGB2GRAY)
    gray = gray.astype(np.float32) / (257 if gray.dtype == np.uint16 else 1)
    print("| picture | file | seconds | of processor cores | peak memory | mean chroma | against the smallest |")
    print("|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for suffix in arguments.suffixes:
            smallest = None
            for megapixels in sorted(arguments.megapixels):
                source, target = Path(folder) / f"in{suffix}", Path(folder) / f"out{suffix}"
                pixels = enlarged(gray, megapixels, arguments.depth)
                write_image(source, pixels, overwrite=True)
                height, width = pixels.shape[:2]
                del pixels
                size = source.stat().st_size
                seconds, work, peak = measured(source, target, arguments.model, [*options, "--overwrite"])
                chroma = mean_chroma(read_image(target).pixels)
                smallest = smallest or chroma
                cells = [
                    f"{width} x {height}, {width * height / 1e6:.0f} MP",
                    f"{suffix}, {size / 1e6:.0f} MB",
                    f"{seconds:.1f}",
                    f"{work:.1f}",
                    f"{peak / 1e9:.2f} GB",
                    f"{chroma:.2f}",
                    f"{chroma / smallest - 1:+.1%}",
                ]
                print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
