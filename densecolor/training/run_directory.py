"""The files of one training run.

config.json    everything needed to start the run again
history.csv    one row an epoch
tensorboard/   the same curves for TensorBoard
samples/       a grid of pictures an epoch: gray, predicted, true
last/          the state from which the run goes on (see `state`), and the lock of the process that is at work
best.keras     the model of the best epoch, by what `TrainConfig.monitor` names
final.keras    the model at the end
"""

import contextlib
import csv
import fcntl
import io
from pathlib import Path

from densecolor.atomic import remove_partial_files
from densecolor.atomic import write_atomically
from densecolor.errors import TrainingError
from densecolor.training.config import TrainConfig
from densecolor.training.state import read_progress
from densecolor.training.state import restore_state
from densecolor.training.state import restore_volatile
from densecolor.training.state import write_state

FREE = ("save_every", "skip_damaged")  # what a resumed run may change: it does not decide what healthy data teaches


class RunDirectory:
    """Paths and files of a run. What a file says is whole or not there, whenever the process ends.

    Only `locked` and the methods named `write_...` write.

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
        self.last = self.path / "last"
        self.state_path = self.last / "state.npz"
        self._lock_path = self.last / "lock"

    def check(self, config, resume):
        """Check that a run may begin or go on here; nothing is written yet.

        Args:
            config: TrainConfig.
            resume: go on with the run that is there; a fresh one starts where there is none.

        Raises:
            TrainingError: another process is at work here, or the directory holds a run and `resume` is not asked for,
                or holds a run of another configuration, or its state is lost or damaged.
        """
        if self.path.exists() and not self.path.is_dir():
            raise TrainingError(f"{self.path} is a file. Name a folder for the run.")
        if self._lock_path.exists():
            with self._lock():
                pass
        self._check_contents(config, resume)

    @contextlib.contextmanager
    def locked(self, config, resume):
        """Make the folders and `config.json`, and keep other processes out while the `with` statement lasts.

        Raises:
            TrainingError: as `check`.
        """
        for folder in (self.path, self.samples, self.last):
            folder.mkdir(parents=True, exist_ok=True)
        with self._lock():
            self._check_contents(config, resume)  # once more: now nobody else can change it
            self._remove_scraps()
            write_atomically(self.config_path, config.to_json())
            yield

    def read_progress(self):
        """Where the run stands, as `Progress`."""
        return read_progress(self.state_path)

    def restore(self, model, progress):
        """Load weights and optimizer of the state into a compiled, built model.

        Returns:
            function to be called at the beginning of the first epoch, which restores the rest.

        Raises:
            TrainingError: the state is damaged, or that of another model.
        """
        arrays = restore_state(self.state_path, model)
        return lambda: restore_volatile(self.state_path, model, arrays, with_metrics=progress.step > 0)

    def write_state(self, model, progress, volatile=None):
        """Replace the state; see `densecolor.training.state.write_state`."""
        write_state(self.state_path, model, progress, volatile)

    def write_history(self, history):
        """Write `history.csv`: one row an epoch."""
        text = io.StringIO()
        rows = csv.DictWriter(text, fieldnames=list(history[0]))
        rows.writeheader()
        rows.writerows(history)
        write_atomically(self.history_path, text.getvalue())

    @contextlib.contextmanager
    def _lock(self):
        with open(self._lock_path, "w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise TrainingError(
                    f"Another process is training into {self.path}. Let it finish, or stop it and go on with --resume, "
                    "or choose another folder."
                ) from None
            except OSError:  # a network file system without locks
                pass
            yield

    def _remove_scraps(self):
        """Remove what processes that were killed had in the making."""
        for folder in (self.path, self.last):
            remove_partial_files(folder)
        for path in (*self.path.glob(".*.partial.keras"), *self.samples.glob(".*.part")):
            path.unlink(missing_ok=True)

    def _check_contents(self, config, resume):
        if not self.state_path.exists():
            if self.best.exists():
                raise TrainingError(
                    f"{self.path} holds a model, {self.best.name}, but not the state from which its run could go on "
                    f"({self.state_path}). Choose another folder, so that the model stays."
                )
            return  # nothing there, or a run that ended before its first state
        if not resume:
            raise TrainingError(f"{self.path} already holds a run. Resume it (--resume) or choose another folder.")
        self._require_same(config)
        self.read_progress()

    def _require_same(self, config):
        was = TrainConfig.from_file(self.config_path)
        changed = [
            f"{name} was {value!r}, now {getattr(config, name)!r}"
            for name, value in vars(was).items()
            if value != getattr(config, name) and name not in FREE
        ]
        if changed:
            raise TrainingError(
                f"{self.path} holds a run of another configuration: {'; '.join(changed)}. "
                "Resume with the same options, or choose another folder."
            )
