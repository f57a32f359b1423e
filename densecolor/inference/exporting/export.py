"""Write a model in a format of other programs."""

import dataclasses
import os
import shutil
import tempfile
from pathlib import Path

from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.checkpoint import find_model_file
from densecolor.checkpoint import load_model
from densecolor.errors import ExportError
from densecolor.inference.exporting.convert import convert
from densecolor.inference.exporting.formats import FORMATS
from densecolor.inference.exporting.formats import require_format
from densecolor.inference.exporting.readers import open_exported
from densecolor.inference.exporting.round_trip import round_trip


@dataclasses.dataclass(frozen=True)
class Exported:
    """What `export` wrote.

    Attributes:
        path: file, or folder of a SavedModel. OpenVINO's weights lie beside it, in a file of the same name that ends
            in ".bin".
        format: of `FORMATS`.
        differences: dict of (batch, H, W) to the largest difference to Keras in units of a and b.
    """

    path: Path
    format: str
    differences: dict


def export(model, output=None, format="onnx", *, overwrite=False, trust=False):
    """Export a model for another program, once it gave the same colours there as in Keras.

    The exported model takes `lightness`, float32 (batch, H, W, 1), L / 50 - 1, of any batch and size, and returns the
    model's outputs by their names, `ab`, (batch, H, W, 2), a and b / 128, among them. It is run beside Keras on
    pictures of several sizes, and appears under its name only if no value of a or b differs by more than
    `round_trip.TOLERANCE`.

    Args:
        model: `keras.Model`, or path of a checkpoint or run directory (see `densecolor.load_model`).
        output: path to write; None for beside the checkpoint (for a model of the package in the
            current folder), with the format's ending.
        format: "onnx", "openvino", "saved_model" or "litert".
        overwrite: bool, replace an output that exists.
        trust: bool, for a `model` that is a path: see `densecolor.load_model`.

    Returns:
        `Exported`.

    Raises:
        ExportError: the output exists or has another ending, or the model cannot be exported to the format, or would
            give other colours there.
        CheckpointError: the checkpoint cannot be loaded.
        DensecolorError: a package is missing.

    Example:
        >>> densecolor.export("runs/first", "first.onnx").differences
        {(1, 64, 64): 1.5e-05, (2, 97, 131): 1.5e-05, (1, 40, 33): 1.5e-05}
    """
    ending = require_format(format).ending
    if isinstance(model, str | os.PathLike):
        file = find_model_file(model)
        folder = file.parent if Path(model).exists() else Path()  # that of a model of the package is not the user's
        output = output or folder / (file.stem + ending)
        output = _checked(output, format, overwrite)
        model = load_model(file, trust)
    elif output is None:
        raise ExportError("Name an `output` for a model that is no file.")
    else:
        output = _checked(output, format, overwrite)
    output.parent.mkdir(parents=True, exist_ok=True)
    # Beside the output, so that renaming never copies.
    with tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.name}-", suffix=".partial") as folder:
        written = convert(model, format, folder)
        differences = round_trip(model, open_exported(written, format), format)
        _move(written, output)
    return Exported(output, format, differences)


def _checked(output, format, overwrite):
    output, ending = Path(output), FORMATS[format].ending
    if ending.startswith(".") and output.suffix != ending:
        raise ExportError(f"A model in the format {format} must be called *{ending}. Received: {str(output)!r}.")
    for path in (output, *_beside(output)):
        if path.exists() and not overwrite:
            raise ExportError(f"{path} exists. Name another output, or replace it with --overwrite.")
        if path.is_dir() and not (path / "saved_model.pb").exists():
            raise ExportError(f"{path} is a folder of something else. Name another output.")
    return output


def _beside(path):
    """OpenVINO's second file."""
    return [path.with_suffix(".bin")] if path.suffix == FORMATS["openvino"].ending else []


def _move(written, output):
    for source, target in zip(_beside(written), _beside(output), strict=True):
        _sync_and_rename(source, target)  # first, so that the .xml file never stands without it
    _sync_and_rename(written, output)


def _sync_and_rename(source, target):
    for path in [source, *source.rglob("*")] if source.is_dir() else [source]:
        sync(path)
    if target.is_dir():
        old = source.with_name("replaced")
        os.rename(target, old)
        os.rename(source, target)
        shutil.rmtree(old)
        return
    rename_durably(source, target)
