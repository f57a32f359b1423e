"""The dense network's own comparison (Zhang N. et al., 2019): against a residual network, by information loss.

    python tools/compare_dense_residual.py PACKED RUNS [--steps 2500] [--batch-size 16]

trains `dense_small` and `residual_small` on the same shards, with the same batches for the same steps (one epoch of a
cosine schedule from 1e-3), and measures both on the validation split. Prints what the paper's table has, with 95%
bootstrap intervals and a paired test; RUNS/report/index.html has the curves of its Figure 7. A run that is finished is
not trained again, and one that was stopped goes on.
"""

import argparse
from pathlib import Path

from densecolor.evaluation import evaluate
from densecolor.training import TrainConfig
from densecolor.training import train

PAPER = {"dense_small": 1.92628, "residual_small": 2.31481}  # bits, of the full networks on Places
COLUMNS = (("info_loss", 2), ("joint_info_loss", 2), ("psnr", 2), ("mean_chroma", 1))  # and their digits


def main():
    """Train, measure, print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packed", type=Path)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--steps", type=int, default=2500)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--limit", type=int, help="measure only so many pictures")
    arguments = parser.parse_args()
    for name in PAPER:
        if not (arguments.runs / name / "final.keras").exists():
            config = TrainConfig(
                data=str(arguments.packed),
                model=name,
                epochs=1,
                steps_per_epoch=arguments.steps,
                batch_size=arguments.batch_size,
            )
            train(config, arguments.runs / name, resume=True)
    paths = {name: arguments.runs / name / "final.keras" for name in PAPER}
    result = evaluate(
        paths, arguments.packed, report=arguments.runs / "report", limit=arguments.limit, against="residual_small"
    )
    print(f"\n{arguments.steps} steps of {arguments.batch_size}, {arguments.limit or 'all'} validation pictures\n")
    print(f"| network | {' | '.join(name for name, _ in COLUMNS)} | info_loss in the paper |")
    print("|---" * (len(COLUMNS) + 2) + "|")
    for name, figures in result.results.items():
        cells = [with_interval(figures[column], digits) for column, digits in COLUMNS]
        print(f"| {name} | {' | '.join(cells)} | {PAPER.get(name, '')} |")
    print("p of the paired test of info_loss:", f"{result.tests['dense_small']['info_loss'].p_holm:.2g}")


def with_interval(figure, digits):
    """A mean and its interval, or nothing."""
    if figure.mean is None:
        return ""
    return f"{figure.mean:.{digits}f} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


if __name__ == "__main__":
    main()
