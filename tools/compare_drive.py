"""What a mask-guided adversary is worth on retinas: DRIVE's training pictures to learn, its test pictures to measure.

    densecolor-pack DRIVE packed-drive --masks DRIVE --image-size 256
    python tools/compare_drive.py packed-drive RUNS [--steps 100] [--batch-size 4]

Trains the systems below for the same number of steps, a run that is finished not again, and prints in Markdown MAE,
PSNR and SSIM with the background painted black and white by the masks, and p of a paired test against the first system
(Wilcoxon signed-rank, corrected by Holm's method).
"""

import argparse
from pathlib import Path

from densecolor.evaluation import evaluate
from densecolor.training import TrainConfig
from densecolor.training import train

HEAD = {"gan": "wgan-gp", "gan_filters": 16, "gan_layers": 2}
JUDGED = HEAD | {"gan_weight": 0.05, "attention_weight": 0.0}  # SCGAN's weight beside its loss of RGB
DENSE = {"model": "dense_small", "model_options": {"num_classes": 0, "joint": True}}  # the retinas have no classes
SYSTEMS = {
    "dense": DENSE,
    "dense with the head": DENSE | {"gan_mask": "foreground", **HEAD},
    "smcgan without its mask": {"model": "smcgan_small", "model_options": {"mask": False}, **JUDGED},
    "smcgan": {"model": "smcgan_small", "gan_mask": "learned", **JUDGED},
}
MEASURES = {"mae": 4, "psnr": 2, "ssim": 4}  # and their digits
GROUNDS = ("black", "white", "average")


def trained(name, arguments):
    """The path of a trained system, trained now unless that is done."""
    run = arguments.runs / name.replace(" ", "-")
    if not (run / "final.keras").exists():
        config = TrainConfig(
            data=str(arguments.packed),
            epochs=1,
            steps_per_epoch=arguments.steps,
            batch_size=arguments.batch_size,
            **SYSTEMS[name],
        )
        train(config, run, resume=True)
    return run / "final.keras"


def figure(result, system, name):
    """A mean, and whether it differs from the first system's."""
    mean = f"{result.results[system][name].mean:.{MEASURES[name.partition('_')[0]]}f}"
    test = result.tests.get(system, {}).get(name)
    return mean if test is None or test.p_holm is None else f"{mean} (p {test.p_holm:.2g})"


def main():
    """Print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--batch-size", type=int, default=4)
    arguments = parser.parse_args()
    paths = {name: trained(name, arguments) for name in SYSTEMS}
    first = next(iter(paths))
    result = evaluate(paths, arguments.packed, split="test", backgrounds=("black", "white"), against=first)
    names = [f"{measure}_on_{ground}" for ground in GROUNDS for measure in MEASURES]
    headings = " | ".join(name.replace("_", " ") for name in names)
    print(f"| {arguments.steps} steps of {arguments.batch_size} | {headings} |")
    print(f"|---|{'---|' * len(names)}")
    for system in (*paths, "grayscale", "mean colour"):
        cells = [figure(result, system, name) for name in names]
        print(f"| {system} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
