"""From a Keras model to the files of a format."""

from pathlib import Path

import keras
import numpy as np

from densecolor.errors import ExportError
from densecolor.inference.exporting.formats import reason_of
from densecolor.inference.exporting.formats import require_format
from densecolor.inference.exporting.quiet import quiet
from densecolor.models import Colorizer


def convert(model, format, folder, only_ab=False):
    """Export a model that takes lightness to a new folder, for batches and pictures of any size.

    Args:
        model: `keras.Model`; one of another precision is exported in float32.
        format: a name in `FORMATS`.
        folder: existing, empty folder.
        only_ab: leave out the outputs beside `ab`.

    Returns:
        Path of what was written in the folder, called "model" with the format's ending.

    Raises:
        ExportError: the model takes more than lightness, or cannot be expressed in the format, or the backend of
            Keras is not TensorFlow.
        DensecolorError: the format is unknown, or a package for it is not installed.
    """
    known = require_format(format)
    if keras.backend.backend() != "tensorflow":
        raise ExportError("Models are exported by TensorFlow: set KERAS_BACKEND=tensorflow, or leave it unset.")
    inputs = list(model.input) if isinstance(getattr(model, "input", None), dict) else ["lightness"]
    if inputs != ["lightness"]:
        taken = ", ".join(inputs)
        raise ExportError(f"Model {model.name!r} takes {taken}; only what takes lightness alone can be exported.")
    path = Path(folder, f"model{known.ending}")
    try:
        with quiet():
            model = _prepare(model, only_ab)
            model({"lightness": np.zeros((1, 64, 64, 1), np.float32)})  # Keras exports only what was called before
            model.export(str(path), format=known.keras_name, verbose=False)
    except Exception as error:  # of TensorFlow, tf2onnx, OpenVINO and LiteRT, which share no base
        raise ExportError(f"Model {model.name!r} cannot be exported to {format}: {reason_of(error)}") from error
    return path


def _prepare(model, only_ab):
    if isinstance(model, Colorizer) and model.dtype_policy.compute_dtype != "float32":
        weights = model.get_weights()
        model = type(model).from_config({**model.get_config(), "dtype": "float32"})
        model.set_weights(weights)
    if only_ab and isinstance(model, Colorizer) and len(model.output_names) > 1:
        model = keras.Model(model.input, {"ab": model.output["ab"]}, name=model.name)
    return model
