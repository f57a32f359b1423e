"""What happens beside the steps of a run: all side effects of training live here."""

import math

import keras
import numpy as np

from densecolor.checkpoint import save_model
from densecolor.color import denormalize_ab
from densecolor.color import denormalize_lightness
from densecolor.color import lab_to_srgb
from densecolor.errors import TrainingError
from densecolor.image_io import write_image

ADVICE = "Try a lower learning rate, more warm-up steps, or float32. Epochs that were whole are kept."
MONITORED = ("val_ab_mse", "ab_mse")  # the first that a run has decides which epoch is best


class StopOnNaN(keras.callbacks.Callback):
    """End the run with a clear message as soon as the loss is no number any more."""

    def on_train_batch_end(self, batch, logs=None):
        """Look at the running loss."""
        if not math.isfinite(logs["loss"]):
            raise TrainingError(f"The loss became {logs['loss']} in step {batch + 1} of epoch {self._epoch}. {ADVICE}")

    def on_epoch_begin(self, epoch, logs=None):
        """Remember the epoch for the message."""
        self._epoch = epoch + 1

    def on_test_end(self, logs=None):
        """Look at the validation's loss too: a run must not keep such an epoch as its best."""
        if not math.isfinite(logs["loss"]):
            raise TrainingError(f"The validation loss became {logs['loss']} in epoch {self._epoch}. {ADVICE}")


class KeepState(keras.callbacks.Callback):
    """Keep the history, the best model, and the state from which the run can be resumed.

    Args:
        run: RunDirectory.
        history: list of dict, the rows of the epochs that are done; appended to.
        report: function of one line of text, called with the figures of each epoch.
    """

    def __init__(self, run, history, report):
        super().__init__()
        self._run = run
        self._history = history
        self._report = report

    def on_epoch_end(self, epoch, logs=None):
        """Write everything that a resumed run needs."""
        figures = {name: float(value) for name, value in logs.items()}
        figures["learning_rate"] = float(keras.ops.convert_to_numpy(self.model.optimizer.learning_rate))
        monitored = next(name for name in MONITORED if name in figures)
        is_best = all(figures[monitored] < row[monitored] for row in self._history)
        self._history.append({"epoch": epoch + 1, **figures})
        if is_best:
            save_model(self.model, self._run.best)
        self._run.save_state(self.model, self._history)
        summary = "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
        self._report(f"epoch {epoch + 1}/{self.params['epochs']}  {summary}{'  (best)' if is_best else ''}")


class SampleGrid(keras.callbacks.Callback):
    """Write a grid of pictures after each epoch: gray, predicted and true, one picture a row.

    Args:
        folder: where `epoch-0001.png` and so on go.
        lightness: float (n, S, S, 1), as a model takes it.
        ab: float (n, S, S, 2), the true colours, ab / 128.
    """

    def __init__(self, folder, lightness, ab):
        super().__init__()
        self._folder = folder
        self._lightness = lightness
        self._ab = ab

    def on_epoch_end(self, epoch, logs=None):
        """Predict and write."""
        # Not `predict`, which gives every replica of a strategy the same pictures.
        predicted = keras.ops.convert_to_numpy(self.model(self._lightness, training=False)["ab"])
        columns = [_to_srgb(self._lightness, ab) for ab in (np.zeros_like(self._ab), predicted, self._ab)]
        rows = [np.concatenate(row, axis=1) for row in zip(*columns, strict=True)]
        write_image(self._folder / f"epoch-{epoch + 1:04d}.png", np.concatenate(rows), overwrite=True)


class ReportProgress(keras.callbacks.Callback):
    """Tell a progress bar about the steps.

    Args:
        progress: function (done, total).
        steps_per_epoch, epochs: of the whole run.
        first_epoch: epochs that are done already.
    """

    def __init__(self, progress, steps_per_epoch, epochs, first_epoch):
        super().__init__()
        self._progress = progress
        self._done = first_epoch * steps_per_epoch
        self._total = epochs * steps_per_epoch

    def on_train_batch_end(self, batch, logs=None):
        """One step further."""
        self._done += 1
        self._progress(self._done, self._total)


def _to_srgb(lightness, ab):
    return lab_to_srgb(np.concatenate([denormalize_lightness(lightness), denormalize_ab(ab)], axis=-1))
