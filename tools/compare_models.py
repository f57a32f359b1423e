"""Train several models on the same packed pictures for the same steps, and print one table of what they reach.

    python tools/compare_models.py PACKED RUNS [--models unet dense_small ...] [--steps 800] [--batch-size 32]

All are trained alike (Adam, cosine schedule, the same seed, so the same batches), not by their papers' recipes: the
networks are what is compared. A run that is finished in RUNS is not trained again, but speed is measured every time,
after all training: the median of fifty steps, once the first fifty have built the graph.
"""

import argparse
import statistics
import tempfile
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
WARM_UP, TIMED = 50, 50  # steps
CALLS = 20  # of one picture
COLUMNS = (("info_loss", 2), ("psnr", 2), ("ssim", 3), ("mean_chroma", 1))  # and their digits


def configured(name, arguments, steps):
    """The same training for every model."""
    return TrainConfig(
        data=str(arguments.packed), model=name, epochs=1, steps_per_epoch=steps, batch_size=arguments.batch_size
    )


def trained(name, arguments):
    """The path of the trained model, trained now unless that is done."""
    final = arguments.runs / name / "final.keras"
    if not final.exists():
        train(configured(name, arguments, arguments.steps), arguments.runs / name, resume=True)
    return final


def images_per_second(name, arguments):
    """Of training, by the median time of a step."""
    times = []
    config = configured(name, arguments, WARM_UP + TIMED)
    with tempfile.TemporaryDirectory() as run:
        train(config, run, progress=lambda done, total: times.append(time.perf_counter()), report=lambda line: None)
    return arguments.batch_size / statistics.median(np.diff(times[WARM_UP:]))


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
    paths = {name: trained(name, arguments) for name in arguments.models}
    result = evaluate(list(paths.values()), arguments.packed)
    size = read_manifest(arguments.packed).image_size
    print(f"\n{arguments.steps} steps of {arguments.batch_size} pictures of {size} x {size}\n")
    print("| model | parameters | info loss | PSNR, dB | SSIM | chroma | trains, images/s | one picture, ms |")
    print("|---|---|---|---|---|---|---|---|")
    for name, measures in result.results.items():
        parameters, rate, milliseconds = "", "", ""
        if name in paths:
            model = load_model(paths[name])
            parameters, rate = f"{model.count_params() / 1e6:.2f} M", f"{images_per_second(name, arguments):.0f}"
            milliseconds = f"{1000 * seconds_per_picture(model, size):.0f}"
        means = [(measures[measure].mean, digits) for measure, digits in COLUMNS]
        figures = " | ".join("" if mean is None else f"{mean:.{digits}f}" for mean, digits in means)
        print(f"| {name} | {parameters} | {figures} | {rate} | {milliseconds} |")


if __name__ == "__main__":
    main()
