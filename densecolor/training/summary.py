"""What came of a run, read from its directory."""

import csv
import dataclasses
import shlex
from pathlib import Path

from densecolor.errors import TrainingError
from densecolor.training.config import TrainConfig
from densecolor.training.monitor import best_row
from densecolor.training.monitor import monitored_column
from densecolor.training.run_directory import RunDirectory


@dataclasses.dataclass(frozen=True)
class RunSummary:
    """The figures of a run and where its things are."""

    run: Path
    data: str
    monitored: str  # the column that decides which epoch is best
    best: dict  # row of the best epoch
    final: dict  # row of the last epoch

    def text(self):
        """The summary as lines for people."""
        run, data, curves, report = (
            shlex.quote(str(path)) for path in (self.run, self.data, self.run / "tensorboard", self.run / "report")
        )
        return "\n".join(
            [
                f"best    epoch {self.best['epoch']} of {self.final['epoch']}, by {self.monitored}: "
                f"{_figures(self.best)}",
                f"final   {_figures(self.final)}",
                f"models  {self.run / 'best.keras'}, {self.run / 'final.keras'}",
                f"curves  {self.run / 'history.csv'}; tensorboard --logdir {curves}",
                f"samples {self.run / 'samples'}",
                "Go on with:",
                f"    densecolor-evaluate {run} {data} --report {report}",
                f"    densecolor-colorize PICTURE --model {run} --output COLOURED",
            ]
        )


def summarize(run):
    """Sum up a run.

    Args:
        run: a run directory with at least one whole epoch.

    Returns:
        `RunSummary`.

    Raises:
        TrainingError: there is no such run, or it has no whole epoch.

    Example:
        >>> summarize("runs/first").best["val_ab_mse"]
        0.0137
        >>> print(summarize("runs/first").text())
    """
    directory = RunDirectory(run)
    if not directory.history_path.exists() or not directory.config_path.exists():
        raise TrainingError(f"{directory.path} holds no run with a whole epoch. Train it, or name another folder.")
    config = TrainConfig.from_file(directory.config_path)
    with open(directory.history_path, encoding="utf-8", newline="") as file:
        rows = [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]
    history = [row | {"epoch": int(row["epoch"])} for row in rows]
    return RunSummary(
        run=directory.path,
        data=config.data,
        monitored=monitored_column(config.monitor, history[0]),
        best=best_row(history, config.monitor),
        final=history[-1],
    )


def _figures(row):
    return "  ".join(f"{name} {value:.4g}" for name, value in row.items() if name not in ("epoch", "learning_rate"))
