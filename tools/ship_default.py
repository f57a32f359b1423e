"""Make the model file that comes with the package out of a trained one, and measure it for its card.

    python tools/ship_default.py sweep runs/default/averaged.keras PACKED
    python tools/ship_default.py write runs/default --temperature 0.6 --working-size 32 --held-out PACKED [--also MODEL]

`sweep` tells what temperatures and working sizes do on a packed folder: use pictures that are neither trained on nor
the held-out ones to choose. `write` stores densecolor/models/weights/default.keras in half precision, measures it on
the held-out photographs, and writes default.json, the card, beside it.
"""

import argparse
import json
from pathlib import Path

from densecolor.atomic import write_atomically
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.checkpoint.shipped import FOLDER
from densecolor.evaluation import evaluate
from densecolor.shards.manifest import sha256_of

TEMPERATURES = (1.0, 0.8, 0.6, 0.5, 0.4)
SIZES = (32, 48, 64, 96)
SHOWN = ("psnr", "info_loss", "colorfulness", "mean_chroma")
CONFIG = Path(__file__).parent / "configs" / "default.json"
DATA = {
    "tiny": "Tiny ImageNet, 39,482 images of 64 x 64 in colour for training, of 200 classes of ImageNet",
    "photographs": "549 of a sample of 800 of ImageNet, in the second stage; 200 others were measured "
    "(tools/configs/held_out_photographs.txt)",
    "terms": "ImageNet's images are for non-commercial research and teaching; they do not come with the package",
}


def main():
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(required=True)
    sweep = commands.add_parser("sweep")
    sweep.add_argument("model", type=Path)
    sweep.add_argument("packed", type=Path)
    sweep.add_argument("--split", default="validation")
    sweep.add_argument("--limit", type=int, default=100)
    sweep.set_defaults(run=sweep_settings)
    write = commands.add_parser("write")
    write.add_argument("trained", type=Path, help="the --out of tools/train_default.py")
    write.add_argument("--temperature", type=float, required=True)
    write.add_argument("--working-size", type=int, required=True)
    write.add_argument("--held-out", type=Path, required=True, help="the held-out photographs, packed at 256")
    write.add_argument(
        "--also", type=Path, action="append", default=[], help="a checkpoint to measure beside it, by its name"
    )
    write.set_defaults(run=write_model)
    arguments = parser.parse_args()
    arguments.run(arguments)


def sweep_settings(arguments):
    """Print what each temperature and working size gives."""
    for size in SIZES:
        models = {f"{size}, {t}": with_settings(load_model(arguments.model), t, size) for t in TEMPERATURES}
        result = evaluate(models, arguments.packed, split=arguments.split, limit=arguments.limit)
        for name, figures in result.results.items():
            if name in models or size == SIZES[0]:
                print(name, *(f"{key} {figures[key].mean:.3f}" for key in SHOWN if figures[key].mean is not None))


def with_settings(model, temperature, working_size):
    """The same weights in a model that decodes at another temperature and size."""
    changed = type(model).from_config(
        model.get_config() | {"temperature": temperature, "working_size": working_size, "name": "default"}
    )
    changed.set_weights(model.get_weights())
    return changed


def write_model(arguments):
    """Write the file, measure what was written, and write the card."""
    model = with_settings(
        load_model(arguments.trained / "averaged.keras"), arguments.temperature, arguments.working_size
    )
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / "default.keras"
    save_model(model, path, half=True)
    result = evaluate({"default": path} | {run.stem: run for run in arguments.also}, arguments.held_out)
    config = json.loads(CONFIG.read_text())
    progress = json.loads((arguments.trained / "progress.json").read_text())
    card = {
        "sha256": sha256_of(path),
        "bytes": path.stat().st_size,
        "model": config["model"],
        "parameters": model.count_params(),
        "temperature": arguments.temperature,
        "working_size": arguments.working_size,
        "data": DATA,
        "training": {
            "command": "python tools/train_default.py tools/configs/default.json --photographs imagenet-sample "
            "--tiny-imagenet tiny-imagenet-200.zip --out runs/default",
            "stages": [stage | done for stage, done in zip(config["stages"], stages_done(progress), strict=False)],
        },
        "held_out": {
            "pictures": len(result.keys),
            "size": 256,
            "figures": {system: figures_of(of_system) for system, of_system in result.results.items()},
            "psnr_over_grayscale": {
                system: shown(gains["grayscale"]) for system, gains in result.psnr_gains.items() if "grayscale" in gains
            },
        },
    }
    write_atomically(path.with_suffix(".json"), json.dumps(card, indent=1) + "\n")
    print(json.dumps(card["held_out"], indent=1))


def stages_done(progress):
    """Seconds and steps of the stages, of one that was not ended too."""
    going_on = [{"seconds": round(progress["seconds"]), "steps": progress["steps"]}] if progress["steps"] else []
    return progress["stages"] + going_on


def figures_of(figures):
    """What the card tells of a system."""
    return {key: shown(figures[key]) for key in (*SHOWN, "ssim") if key in figures and figures[key].mean is not None}


def shown(summary):
    """Mean and the ends of its 95% bootstrap interval."""
    return {"mean": round(summary.mean, 4), "low": round(summary.low, 4), "high": round(summary.high, 4)}


if __name__ == "__main__":
    main()
