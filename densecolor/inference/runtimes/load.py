"""Choose a runtime, and export the model for it where that was not done before."""

import importlib.util
import json
import os
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np

from densecolor.checkpoint import find_model_file
from densecolor.checkpoint import load_model
from densecolor.checkpoint import shipped_path
from densecolor.errors import DensecolorError
from densecolor.errors import ExportError
from densecolor.errors import require_choice
from densecolor.inference.exporting.convert import convert
from densecolor.inference.exporting.formats import require_format
from densecolor.inference.exporting.readers import open_exported
from densecolor.inference.exporting.round_trip import round_trip
from densecolor.inference.identity import identify_model
from densecolor.inference.picture import DEFAULT_WORKING_SIZE
from densecolor.inference.picture import as_model
from densecolor.inference.picture import working_size_of
from densecolor.inference.runtimes.kept import Kept
from densecolor.inference.runtimes.onnx_model import OnnxModel
from densecolor.inference.runtimes.openvino_model import PRECISIONS
from densecolor.inference.runtimes.openvino_model import OpenVINOModel

RUNTIMES = ("auto", "keras", "openvino", "onnx")
# Exporting takes as long as Keras takes for some tens of pictures, so that fewer are not worth it.
WORTH_EXPORTING = 30
TIMED = 4
_ABOUT = "about.json"
_FASTER = "faster"


def load(model, runtime="auto", *, precision="auto", trust=False, pictures=None, note=None):
    """A colorizer in the runtime that is asked for.

    For OpenVINO and onnxruntime the model is exported, checked against Keras as `densecolor.export` does it, and
    kept beside the checkpoint, or in the user's cache folder if nothing can be written there; later calls for
    the same checkpoint use that. "auto" takes OpenVINO, else onnxruntime, if they are installed; else Keras, and also
    where a model cannot be exported, or was not faster than in Keras when it was, or is a Keras model and no file, or
    there are few `pictures` and nothing was exported before.

    Args:
        model: path of a checkpoint or run directory, or None for the one that densecolor brings; or `keras.Model`,
            which is exported but not kept.
        runtime: one of `RUNTIMES`.
        precision: "auto", the runtime's own choice, or "float32"; see `OpenVINOModel`.
        trust: bool, for a `model` that is a path: see `densecolor.load_model`.
        pictures: int, how many will be colorized; None for very many.
        note: function of a str, told what is worth knowing; None for `warnings.warn`.

    Returns:
        A `keras.Model`, `OpenVINOModel` or `OnnxModel`: `predict_on_batch({"lightness": ...})` gives a dict with `ab`.

    Raises:
        CheckpointError: the checkpoint cannot be loaded; nothing of it is exported then.
        ExportError: the model cannot be exported for the runtime that was named.
        DensecolorError: the runtime is unknown or not installed.

    Example:
        >>> model = load("runs/first", "openvino")
        >>> rgb = densecolor.colorize(picture, model)
    """
    require_choice("runtime", runtime, RUNTIMES)
    require_choice("precision", precision, PRECISIONS)
    note = note or warnings.warn
    model = shipped_path() if model is None else model
    is_file = isinstance(model, str | os.PathLike)
    if runtime == "keras" or (runtime == "auto" and not is_file):
        return as_model(model, trust)
    if not is_file:
        require_format(runtime)
        return _open(_export(model, runtime), runtime, precision)
    path = find_model_file(model)
    if runtime != "auto":
        require_format(runtime)
        kept = Kept(path, runtime, trust)
        files = kept.read() or _export_and_keep(load_model(path, trust), runtime, kept, note)
        return _open(files, runtime, precision)
    return _load_best(path, precision, trust, pictures, note)


def _load_best(path, precision, trust, pictures, note):
    installed = [runtime for runtime, packages in _NEEDED.items() if all(map(importlib.util.find_spec, packages))]
    if not installed:
        return load_model(path, trust)
    runtime = installed[0]
    kept = Kept(path, runtime, trust)
    model, files = None, kept.read()
    if files is None:
        model = load_model(path, trust)
        if pictures is not None and pictures < WORTH_EXPORTING:
            return model
        try:
            files = _export_and_keep(model, runtime, kept, note)
        except DensecolorError as error:
            note(f"{error} Keras is used instead.")
            return model
    if not files[_FASTER]:
        return model or load_model(path, trust)
    return _open(files, runtime, precision)


# In the order of speed. `find_spec` looks for packages without importing them.
_NEEDED = {"openvino": ("openvino",), "onnx": ("onnxruntime", "onnx", "tf2onnx")}


def _export_and_keep(model, runtime, kept, note):
    note(f"Exporting {model.name!r} for {runtime}, once; this takes some seconds.")
    files = _export(model, runtime)
    if kept.write(files) is None:
        note("The exported model could not be kept for the next time: neither its folder nor the cache can be written.")
    return files


def _export(model, runtime):
    """The files of an export, dict of name to bytes."""
    with tempfile.TemporaryDirectory() as folder:
        written = convert(model, runtime, folder, only_ab=True)
        run = open_exported(written, runtime)
        round_trip(model, run, runtime)
        files = {path.name: path.read_bytes() for path in Path(folder).iterdir()}
    about = {
        "name": model.name,
        "working_size": working_size_of(model),
        "fingerprint": identify_model(model),
    }
    return files | {_ABOUT: json.dumps(about).encode(), _FASTER: b"1" if is_faster(run, model) else b""}


def is_faster(run, model):
    """Whether an exported model takes less time than Keras, for one picture of the usual size.

    Args:
        run: function of lightness.
        model: what has `predict_on_batch`.
    """
    lightness = np.zeros((1, DEFAULT_WORKING_SIZE, DEFAULT_WORKING_SIZE, 1), np.float32)
    seconds = [[], []]
    for _ in range(TIMED):  # in turn, so that what else the machine does meets both
        for found, way in zip(seconds, (run, lambda x: model.predict_on_batch({"lightness": x})), strict=True):
            start = time.perf_counter()
            way(lightness)
            found.append(time.perf_counter() - start)
    exported, keras = map(min, seconds)
    return exported < keras


def _open(files, runtime, precision):
    about = json.loads(files[_ABOUT])
    try:
        if runtime == "onnx":
            return OnnxModel(files["model.onnx"], **about)
        return OpenVINOModel((files["model.xml"], files["model.bin"]), **about, precision=precision)
    except RuntimeError as error:
        raise ExportError(f"{runtime} cannot run {about['name']!r}: {error} Use the runtime keras.") from error
