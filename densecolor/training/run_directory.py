"""The files of one training run, and the state from which it goes on after a stop.

config.json    everything needed to start the run again
history.csv    one row an epoch
tensorboard/   the same curves for TensorBoard
samples/       a grid of pictures an epoch: gray, predicted, true
last/          weights, optimizer and history of the last whole epoch
best.keras     the model of the best epoch, by what `TrainConfig.monitor` names
final.keras    the model at the end
"""

import csv
import io
import json
import os
from pathlib import Path

from densecolor.errors import TrainingError
from densecolor.training.config import TrainConfig


class RunDirectory:
    """Paths and small files of a run; everything is written under a temporary name and renamed.

    Args:
        path: the run directory.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.config_path = self.path / "config.json"
        self.history_path = self.path / "history.csv"
        self.tensorboard = self.path / "tensorboard"
        self.samples = self.path / "samples"
        self.best = self.path / "best.keras"
        self.final = self.path / "final.keras"
        self._last = self.path / "last"
        self._state_path = self._last / "state.json"

    def history_so_far(self, config, resume):
        """What an interrupted run has done already; nothing is written yet.

        Args:
            config: TrainConfig.
            resume: go on with the run that is there; a fresh one starts where there is none.

        Returns:
            list of dict, the history rows of the epochs that are done.

        Raises:
            TrainingError: the directory holds a run and `resume` is not asked for, or holds a run of another
                configuration.
        """
        if self.path.exists() and not self.path.is_dir():
            raise TrainingError(f"{self.path} is a file. Name a folder for the run.")
        if not self._state_path.exists():
            return []  # nothing there, or a run that ended before its first epoch did
        if not resume:
            raise TrainingError(f"{self.path} already holds a run. Resume it (--resume) or choose another folder.")
        self._require_same(config)
        return self._read_state()["history"]

    def create(self, config):
        """Make the folders and write `config.json`."""
        for folder in (self.path, self.samples, self._last):
            folder.mkdir(parents=True, exist_ok=True)
        _write(self.config_path, config.to_json())

    def save_state(self, model, history):
        """Keep weights, optimizer and history of an epoch that is done, in place of the state before."""
        weights = self._last / f"epoch-{len(history):04d}.weights.h5"
        partial = self._last / "partial.weights.h5"
        try:
            model.save_weights(partial, overwrite=True)
            os.replace(partial, weights)
        finally:
            partial.unlink(missing_ok=True)
        # From here on a resumed run starts from this epoch.
        _write(self._state_path, json.dumps({"weights": weights.name, "history": history}))
        for old in set(self._last.glob("epoch-*.weights.h5")) - {weights}:
            old.unlink()
        self.write_history(history)

    def restore(self, model):
        """Load the weights and the optimizer's state of the last whole epoch into a compiled, built model.

        Raises:
            TrainingError: they are missing or damaged.
        """
        path = self._last / self._read_state()["weights"]
        try:
            model.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            raise TrainingError(f"{path} is missing or damaged ({error}). Start again in another folder.") from None

    def write_history(self, history):
        """Write `history.csv`: one row an epoch."""
        text = io.StringIO()
        rows = csv.DictWriter(text, fieldnames=list(history[0]))
        rows.writeheader()
        rows.writerows(history)
        _write(self.history_path, text.getvalue())

    def _read_state(self):
        try:
            return json.loads(self._state_path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise TrainingError(
                f"{self._state_path} is damaged ({error}). Start again in another folder; best.keras is still there."
            ) from None

    def _require_same(self, config):
        was = TrainConfig.from_file(self.config_path)
        changed = [
            f"{name} was {value!r}, now {getattr(config, name)!r}"
            for name, value in vars(was).items()
            if value != getattr(config, name)
        ]
        if changed:
            raise TrainingError(
                f"{self.path} holds a run of another configuration: {'; '.join(changed)}. "
                "Resume with the same options, or choose another folder."
            )


def _write(path, text):
    partial = path.with_name(f"{path.name}.partial")
    try:
        with open(partial, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
