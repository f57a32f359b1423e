"""Train several models on the same packed pictures for the same steps, and print one table of what they reach.

    python tools/compare_models.py PACKED RUNS [--models unet dense_small ...] [--steps 800] [--batch-size 32]

All are trained alike (Adam, cosine schedule, the same seed, so the same batches), not by their papers' recipes: the
networks are what is compared. A run that is finished in RUNS is not trained again. Training speed leaves out the first
fifty steps, which build the graph.
"""

import argparse
import json
import statistics
import time
from pathlib import Path

import numpy as np

from densecolor import load_model
from densecolor.evaluation import evaluate
from densecolor.shards import read_manifest
from densecolor.training import TrainConfig
from densecolor.training import train

MODELS = (
    "unet",
    "dense_small",
    "koalarization_small",
    "residual_small",
    "iizuka_small",
    "colorful_small",
    "hypercolumn_small",
)
WARM_UP = 50  # steps
CALLS = 20  # of one picture
COLUMNS = (("info_loss", 2), ("psnr", 2), ("ssim", 3), ("mean_chroma", 1))  # and their digits


class Clock:
    """A progress function that notes when the steps are done."""

    def __init__(self):
        self.times = []

    def __call__(self, done, total):
        """One step is done."""
        self.times.append(time.perf_counter())

    def steps_per_second(self):
        """Of the steps after the first fifty."""
        times = self.times[WARM_UP:]
        return (len(times) - 1) / (times[-1] - times[0])


def train_one(name, arguments):
    """Train one model, unless that is done.

    Returns:
        Images per second while training.
    """
    run = arguments.runs / name
    speed = run / "speed.json"
    if speed.exists() and (run / "final.keras").exists():
        return json.loads(speed.read_text())
    config = TrainConfig(
        data=str(arguments.packed),
        model=name,
        epochs=1,
        steps_per_epoch=arguments.steps,
        batch_size=arguments.batch_size,
    )
    clock = Clock()
    train(config, run, resume=True, progress=clock)
    rate = clock.steps_per_second() * arguments.batch_size
    speed.write_text(json.dumps(rate))
    return rate


def seconds_per_picture(model, size):
    """Median time of one picture by itself."""
    lightness = np.zeros((1, size, size, 1), np.float32)
    times = []
    for _ in range(CALLS):
        start = time.perf_counter()
        model.predict(lightness, verbose=0)
        times.append(time.perf_counter() - start)
    return statistics.median(times[CALLS // 4 :])


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--models", nargs="+", default=MODELS)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch-size", type=int, default=32)
    arguments = parser.parse_args()
    rates = {name: train_one(name, arguments) for name in arguments.models}
    size = read_manifest(arguments.packed).image_size
    result = evaluate([arguments.runs / name / "final.keras" for name in rates], arguments.packed)
    print(f"\n{arguments.steps} steps of {arguments.batch_size} pictures of {size} x {size}\n")
    print("| model | parameters | info loss | PSNR, dB | SSIM | chroma | trains, images/s | one picture, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name, measures in result.results.items():
        parameters, rate, milliseconds = "", "", ""
        if name in rates:
            model = load_model(arguments.runs / name / "final.keras")
            parameters, rate = f"{model.count_params() / 1e6:.2f} M", f"{rates[name]:.0f}"
            milliseconds = f"{1000 * seconds_per_picture(model, size):.0f}"
        means = [(measures[measure].mean, digits) for measure, digits in COLUMNS]
        figures = " | ".join("" if mean is None else f"{mean:.{digits}f}" for mean, digits in means)
        print(f"| {name} | {parameters} | {figures} | {rate} | {milliseconds} |")


if __name__ == "__main__":
    main()
