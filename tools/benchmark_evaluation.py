"""How fast pictures are measured: densecolor's metrics on all cores against the plain calls, in the same run.

    python tools/benchmark_evaluation.py [--side 256] [--pictures 200] [--runs 5]

The plain way is what a script writes: scikit-image's SSIM and PSNR, np.histogram of a and of b, one process, picture
after picture. Ours is the same three figures by `densecolor.metrics`, in one thread, in threads and in processes. All
take turns, so that other work on the machine meets all of them; the medians of the runs are printed, and the factors.
"""

import argparse
import concurrent.futures
import multiprocessing
import os
import statistics
import time

import cv2
import numpy as np
import skimage.data
import skimage.metrics

from densecolor import metrics
from densecolor.color import srgb_to_lab

DISTINCT = 16  # pictures, each measured again and again
PLAIN_SHARE = 10  # the plain way gets a tenth of the pictures: it would take minutes


def make_pairs(side):
    """Crops of photographs and the same with faded colours: list of (rgb, rgb, ab, ab)."""
    random = np.random.default_rng(0)
    photographs = [skimage.data.astronaut(), skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
    pairs = []
    for i in range(DISTINCT):
        photograph = photographs[i % len(photographs)]
        scale = max(1.0, 1.2 * side / min(photograph.shape[:2]))
        photograph = cv2.resize(photograph, None, fx=scale, fy=scale)
        top, left = (random.integers(0, length - side + 1) for length in photograph.shape[:2])
        true = np.ascontiguousarray(photograph[top : top + side, left : left + side])
        gray = true.mean(axis=-1, keepdims=True)
        pred = np.rint(gray + 0.6 * (true - gray)).astype(np.uint8)
        ab_true, ab_pred = (np.ascontiguousarray(srgb_to_lab(rgb)[..., 1:]) for rgb in (true, pred))
        pairs.append((true, pred, ab_true, ab_pred))
    return pairs


def plain(true, pred, ab_true, ab_pred):
    """The three figures by scikit-image and NumPy."""
    loss = 0.0
    for sign, ab in ((1, ab_true), (-1, ab_pred)):
        for channel in range(2):
            counts, _ = np.histogram(ab[..., channel], bins=256, range=(-128.5, 127.5))
            shares = counts[counts > 0] / counts.sum()
            loss -= sign * (shares * np.log2(shares)).sum()
    return (
        skimage.metrics.peak_signal_noise_ratio(true, pred),
        skimage.metrics.structural_similarity(true, pred, channel_axis=-1),
        abs(loss),
    )


def ours(true, pred, ab_true, ab_pred):
    """The three figures by densecolor."""
    return metrics.psnr(true, pred), metrics.ssim(true, pred), metrics.info_loss(ab_true, ab_pred)


def _prepare(side):
    global _PAIRS
    _PAIRS = make_pairs(side)
    cv2.setNumThreads(1)


def _measure_block(indices):
    return [ours(*_PAIRS[i % DISTINCT]) for i in indices]


def rates(side, pictures, runs):
    """Pictures per second of each way: dict of name to list of float, one a run."""
    _prepare(side)
    worst = max(np.abs(np.subtract(plain(*pair), ours(*pair))).max() for pair in _PAIRS)
    cores = os.cpu_count()
    blocks = [range(start, min(start + 25, pictures)) for start in range(0, pictures, 25)]
    context = multiprocessing.get_context("spawn")
    with (
        concurrent.futures.ThreadPoolExecutor(cores) as threads,
        concurrent.futures.ProcessPoolExecutor(cores, context, _prepare, (side,)) as processes,
    ):
        ways = {
            "plain": lambda: [plain(*_PAIRS[i % DISTINCT]) for i in range(pictures // PLAIN_SHARE)],
            "one thread": lambda: _measure_block(range(pictures)),
            f"{cores} threads": lambda: list(threads.map(_measure_block, blocks)),
            f"{cores} processes": lambda: list(processes.map(_measure_block, blocks)),
        }
        measured = {name: [] for name in ways}
        for run in range(runs + 1):
            for name, way in ways.items():
                began = time.perf_counter()
                way()
                seconds = time.perf_counter() - began
                if run:  # the first one starts processes and fills caches
                    measured[name].append((pictures // PLAIN_SHARE if name == "plain" else pictures) / seconds)
    return measured, worst


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=256)
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    measured, worst = rates(options.side, options.pictures, options.runs)
    base = statistics.median(measured["plain"])
    print(f"PSNR + SSIM + information loss at {options.side} x {options.side}, images/s, median of {options.runs} runs")
    for name, values in measured.items():
        median = statistics.median(values)
        print(f"{name:>14}: {median:8.1f} ({min(values):.1f} to {max(values):.1f}), {median / base:5.1f} x plain")
    print(f"largest difference of any figure from the plain one: {worst:.1e}")


if __name__ == "__main__":
    main()
