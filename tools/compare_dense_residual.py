"""The dense network's own comparison (Zhang N. et al., 2019): against a residual network, by information loss.

    python tools/compare_dense_residual.py PACKED OUT --minutes 15

trains `dense_small` and `residual_small` on the same shards, each for the same minutes of the clock, one after the
other (on a machine that does nothing else, or they get different shares of it), measures both on the validation split,
and prints what the paper's table has (1.926 against 2.315 bits there). OUT/report/index.html has the curves of its
Figure 7. Stopped in any way, the same command goes on.
"""

import argparse
from pathlib import Path

import keras
from train_default import State
from train_default import train_stage

from densecolor.checkpoint import save_model
from densecolor.evaluation import evaluate
from densecolor.models import create
from densecolor.shards import read_manifest

PRESETS = ("dense_small", "residual_small")
STAGE = {"batch_size": 16, "learning_rate": 1e-3, "warmup_steps": 20, "ema": 0.98}
SHOWN = ("info_loss", "joint_info_loss", "psnr", "mean_chroma")


def main():
    """Train, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packed", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--limit", type=int, default=500, help="pictures that are measured")
    arguments = parser.parse_args()
    manifest = read_manifest(arguments.packed)
    steps = {}
    for name in PRESETS:
        folder = arguments.out / name
        folder.mkdir(parents=True, exist_ok=True)
        keras.utils.set_random_seed(0)
        model = create(name, num_classes=len(manifest.class_names), working_size=manifest.image_size)
        state = State(folder)
        if state.progress["stage"] == 0:
            train_stage(model, STAGE | {"minutes": arguments.minutes}, [arguments.packed], state, seed=0)
            state.end_stage(model)
            save_model(model, folder / "final.keras")
        steps[name] = state.progress["stages"][0]["steps"]
    result = evaluate(
        [arguments.out / name for name in PRESETS],
        arguments.packed,
        report=arguments.out / "report",
        limit=arguments.limit,
    )
    for name, figures in result.results.items():
        shown = " ".join(
            f"{key} {figures[key].mean:.3f} ({figures[key].low:.3f} to {figures[key].high:.3f})"
            for key in SHOWN
            if figures[key].mean is not None
        )
        print(f"{name} ({steps.get(name, 0)} steps): {shown}")


if __name__ == "__main__":
    main()
