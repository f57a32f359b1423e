"""Images per second of densecolor-pack against a straight script, and against decoding alone, on the same files.

    python tools/benchmark_packing.py FOLDER [--image-size 256] [--runs 3]

Every figure is the median of fresh processes, the ways taken in turn, so that a busy machine spoils all alike.
"call" is one call with everything imported, the start of the worker processes included; "command" is the whole
process, from the shell and back.
"""

import argparse
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


def decode(paths, image_size, out):
    """Decode every file and do nothing else."""
    for path in paths:
        cv2.imread(path, cv2.IMREAD_COLOR_RGB)


def straight(paths, image_size, out, compression):
    """What one would write in half an hour: OpenCV and h5py, one picture after the other."""
    layout = {} if compression is None else {"compression": compression}
    if compression is not None:
        layout["chunks"] = (1, image_size, image_size)
    with h5py.File(out, "w") as file:
        shape = (len(paths), image_size, image_size)
        lightness = file.create_dataset("L", shape, np.uint8, **layout)
        if compression is not None:
            layout["chunks"] = (1, image_size, image_size, 2)
        ab = file.create_dataset("ab", (*shape, 2), np.int8, **layout)
        for i, path in enumerate(paths):
            rgb = cv2.imread(path, cv2.IMREAD_COLOR_RGB)
            height, width = rgb.shape[:2]
            scale = image_size / min(height, width)
            height, width = max(round(height * scale), image_size), max(round(width * scale), image_size)
            rgb = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA)
            top, left = (height - image_size) // 2, (width - image_size) // 2
            rgb = rgb[top : top + image_size, left : left + image_size]
            lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
            lightness[i] = np.rint(lab[..., 0] * 2.55).astype(np.uint8)
            ab[i] = np.rint(lab[..., 1:]).astype(np.int8)


WAYS = {
    "decode only, one process": lambda folder, paths, size, out: decode(paths, size, out),
    "straight script, lzf": lambda folder, paths, size, out: straight(paths, size, out, "lzf"),
    "straight script, none": lambda folder, paths, size, out: straight(paths, size, out, None),
}
for _compression in ("lzf", "none"):
    for _workers in (1, 2):
        WAYS[f"densecolor, {_compression}, {_workers} worker{'s'[: _workers - 1]}"] = (
            lambda folder, paths, size, out, compression=_compression, workers=_workers: pack(
                folder, out, image_size=size, compression=compression, workers=workers
            )
        )


def run_way(name, folder, image_size):
    """Do the work of one way in this process and print its seconds."""
    cv2.setNumThreads(1)
    paths = [str(Path(folder, entry.path)) for entry in open_source(folder).entries]
    with tempfile.TemporaryDirectory() as scratch:
        start = time.perf_counter()
        WAYS[name](folder, paths, image_size, Path(scratch, "packed"))
        print(time.perf_counter() - start)


def measure(folder, image_size, runs):
    """Seconds of every way.

    Returns:
        dict: name -> list of (seconds of the call, seconds of the command).
    """
    seconds = {name: [] for name in WAYS}
    for _ in range(runs):
        for name in WAYS:
            start = time.perf_counter()
            command = [sys.executable, __file__, folder, "--image-size", str(image_size), "--way", name]
            printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            seconds[name].append((float(printed.splitlines()[-1]), time.perf_counter() - start))
    return seconds


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder")
    parser.add_argument("--image-size", type=int, default=256)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help="do only this, once, and print its seconds")
    arguments = parser.parse_args()
    if arguments.way:
        run_way(arguments.way, arguments.folder, arguments.image_size)
        return
    count = len(open_source(arguments.folder).entries)
    seconds = measure(arguments.folder, arguments.image_size, arguments.runs)
    medians = {name: np.median(times, axis=0) for name, times in seconds.items()}
    print(f"{count} images to {arguments.image_size} x {arguments.image_size}, median of {arguments.runs}")
    print(f"{'':30}{'call: images/s':>16}{'/ straight':>12}{'command: images/s':>20}{'/ straight':>12}")
    for name, (call, command) in medians.items():
        call_base, command_base = medians[f"straight script, {'none' if 'none' in name else 'lzf'}"]
        print(
            f"{name:30}{count / call:16.0f}{call_base / call:12.2f}"
            f"{count / command:20.0f}{command_base / command:12.2f}"
        )


if __name__ == "__main__":
    main()
