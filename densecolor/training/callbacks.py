"""What happens beside the steps of a run: all side effects of training live here."""

import math

import keras
import numpy as np

from densecolor.color import denormalize_ab
from densecolor.color import denormalize_lightness
from densecolor.color import lab_to_srgb
from densecolor.errors import TrainingError
from densecolor.image_io import write_image
from densecolor.training.averages import averaged_weights
from densecolor.training.state import ADVICE


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


class SampleGrid(keras.callbacks.Callback):
    """Write a grid of pictures after each epoch: gray, predicted and true, one picture a row; then masks.

    Args:
        folder: where `epoch-0001.png` and so on go.
        inputs: dict of arrays, as a model takes them; `lightness`, float (n, S, S, 1), is among them.
        ab: float (n, S, S, 2), the true colours, ab / 128.
        images: `TensorBoardImages`, which gets the grids too.
        report: function of one line of text, told of a grid that cannot be written; training goes on.
        masks: float (n, S, S, 1) in [0, 1], shown behind the true colours; None for none. Behind them stands the mask
            that the model predicts, where it does.
    """

    def __init__(self, folder, inputs, ab, images, report=print, masks=None):
        super().__init__()
        self._folder = folder
        self._inputs = inputs
        self._ab = ab
        self._images = images
        self._report = report
        self._masks = masks

    def on_epoch_end(self, epoch, logs=None):
        """Predict and write."""
        # Not `predict`, which gives every replica of a strategy the same pictures.
        with averaged_weights(self.model):
            outputs = self.model(self._inputs, training=False)
        outputs = {name: keras.ops.convert_to_numpy(value) for name, value in outputs.items()}
        colors = (np.zeros_like(self._ab), outputs["ab"], self._ab)
        columns = [_to_srgb(self._inputs["lightness"], ab) for ab in colors]
        masks = [mask for mask in (self._masks, outputs.get("mask")) if mask is not None]
        columns += [np.repeat(np.uint8(np.rint(255 * np.clip(mask, 0, 1))), 3, axis=-1) for mask in masks]
        rows = [np.concatenate(row, axis=1) for row in zip(*columns, strict=True)]
        path, grid = self._folder / f"epoch-{epoch + 1:04d}.png", np.concatenate(rows)
        try:
            write_image(path, grid, overwrite=True)
            self._images.write("samples", grid, epoch)
        except OSError as error:
            self._report(f"{path} cannot be written ({error.strerror or error}). Training goes on.")


class ReportProgress(keras.callbacks.Callback):
    """Tell a progress bar about the steps.

    Args:
        progress: function (done, total), or None.
        done, total: steps of the whole run.
        note: function of a short text, or None; told the running loss.
    """

    def __init__(self, progress, done, total, note=None):
        super().__init__()
        self._progress = progress
        self._note = note
        self._done = done
        self._total = total

    def on_train_batch_end(self, batch, logs=None):
        """One step further."""
        self._done += 1
        if self._note:
            self._note(f"loss {logs['loss']:.4g}")
        if self._progress:
            self._progress(self._done, self._total)


def _to_srgb(lightness, ab):
    return lab_to_srgb(np.concatenate([denormalize_lightness(lightness), denormalize_ab(ab)], axis=-1))
