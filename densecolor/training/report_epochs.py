"""The line of text that each epoch ends with."""

import time

import keras

from densecolor.training.durations import format_duration
from densecolor.training.monitor import best_row


class ReportEpochs(keras.callbacks.Callback):
    """Report each epoch's figures, whether it is the best so far, and the time that is left.

    Args:
        history: list of dict, the rows of the epochs that are done.
        epochs: int, of the whole run.
        steps_per_epoch: int.
        monitor: as in `TrainConfig`.
        report: function of one line of text.
    """

    def __init__(self, history, epochs, steps_per_epoch, monitor, report):
        super().__init__()
        self._rows = list(history)
        self._epochs = epochs
        self._steps_per_epoch = steps_per_epoch
        self._monitor = monitor
        self._report = report

    def on_train_begin(self, logs=None):
        """Start the clock."""
        self._began = time.monotonic()
        self._steps = 0

    def on_train_batch_end(self, batch, logs=None):
        """One step further."""
        self._steps += 1

    def on_epoch_end(self, epoch, logs=None):
        """Report."""
        row = {**logs, "learning_rate": float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))}
        self._rows.append(row)
        parts = [f"epoch {epoch + 1}/{self._epochs}", *(f"{name} {value:.4g}" for name, value in row.items())]
        if best_row(self._rows, self._monitor) is row:
            parts.append("(best)")
        # By steps, validation and saving included, since a resumed run may begin inside an epoch.
        seconds_a_step = (time.monotonic() - self._began) / max(self._steps, 1)
        steps_left = (self._epochs - epoch - 1) * self._steps_per_epoch
        if steps_left and not self.model.stop_training:
            parts.append(f"{format_duration(steps_left * seconds_a_step)} left")
        self._report("  ".join(parts))
