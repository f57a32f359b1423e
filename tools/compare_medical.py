"""SMCGAN's comparison table on retinas: DRIVE's training pictures to learn, its test pictures to measure.

    densecolor-pack DRIVE packed-drive --masks DRIVE --image-size 128
    python tools/compare_medical.py packed-drive RUNS [--steps 100] [--batch-size 2]

Trains the systems of the table, or those that are named, for the same number of the colorizer's steps on the whole
pictures, each with its recipe but for the number of steps, the size of the batch and of the pictures, and the small
presets of the networks. A run that is finished is not done again. Prints in Markdown MAE, PSNR and SSIM with the
background painted black and white by the masks, their average, and p of a paired test of PSNR against SMCGAN (Wilcoxon
signed-rank over the pictures, corrected by Holm's method); and how long each training took.
"""

import argparse
import json
import time
from pathlib import Path

from densecolor.evaluation import evaluate
from densecolor.training import TrainConfig
from densecolor.training import train

# In the order of the paper's table; the recipe is that of the name without "_small".
SMALL_DISCRIMINATOR = {"gan_filters": 16}
WITHOUT_CLASSES = {"num_classes": 0}  # the retinas have none
SYSTEMS = {
    "GAN": ("gan_small", {}),
    "DCGAN": ("dcgan_small", {}),
    "ChromaGAN": ("chromagan_small", {"model_options": WITHOUT_CLASSES}),
    "WGAN": ("wgan_small", {}),
    "WGAN-GP": ("wgan_gp_small", {}),
    "CycleGAN": ("cyclegan_small", {}),
    "SMCGAN": ("smcgan_small", {}),
    "dense with the head": (
        "dense_small",
        {"model_options": WITHOUT_CLASSES | {"joint": True}, "gan": "wgan-gp", "gan_mask": "foreground"},
    ),
}
REFERENCE = "SMCGAN"
MEASURES = {"mae": 4, "psnr": 2, "ssim": 4}  # and their digits
GROUNDS = ("black", "white", "average")


def trained(name, arguments):
    """The path of a trained system, trained now unless that is done."""
    run = arguments.runs / name.replace(" ", "-")
    if not (run / "final.keras").exists():
        preset, changes = SYSTEMS[name]
        recipe = TrainConfig.from_recipe(arguments.packed, preset.removesuffix("_small"))
        values = json.loads(recipe.to_json()) | SMALL_DISCRIMINATOR | changes
        values |= {"model": preset, "epochs": 1, "steps_per_epoch": arguments.steps}
        values |= {"batch_size": arguments.batch_size, "image_size": None}
        began = time.monotonic()
        train(TrainConfig(**values), run, resume=True)
        (run / "minutes.txt").write_text(f"{(time.monotonic() - began) / 60:.1f}\n")
    return run / "final.keras"


def figure(result, system, name):
    """A mean, and beside PSNR whether it differs from the reference's."""
    mean = f"{result.results[system][name].mean:.{MEASURES[name.partition('_')[0]]}f}"
    test = result.tests.get(system, {}).get(name) if name.startswith("psnr") else None
    return mean if test is None or test.p_holm is None else f"{mean} (p {test.p_holm:.2g})"


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--systems", nargs="*", choices=list(SYSTEMS), default=list(SYSTEMS))
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=2)
    arguments = parser.parse_args()
    paths = {name: trained(name, arguments) for name in arguments.systems}
    against = REFERENCE if REFERENCE in paths else next(iter(paths))
    result = evaluate(paths, arguments.packed, split="test", backgrounds=("black", "white"), against=against)
    names = [f"{measure}_on_{ground}" for ground in GROUNDS for measure in MEASURES]
    headings = " | ".join(name.replace("_on_", ", ") for name in names)
    print(f"| {arguments.steps} steps of {arguments.batch_size} | {headings} | minutes |")
    print(f"|---|{'---|' * (len(names) + 1)}")
    for system in (*paths, "grayscale", "mean colour"):
        cells = [figure(result, system, name) for name in names]
        timed = arguments.runs / system.replace(" ", "-") / "minutes.txt"
        minutes = timed.read_text().strip() if timed.exists() else ""
        print(f"| {system} | {' | '.join(cells)} | {minutes} |")


if __name__ == "__main__":
    main()
