"""Run what was exported, to compare it with Keras: each format by the program that its users have."""

from densecolor.errors import ExportError
from densecolor.inference.exporting.formats import reason_of
from densecolor.inference.exporting.quiet import quiet
from densecolor.inference.runtimes.onnx_model import OnnxModel
from densecolor.inference.runtimes.openvino_model import OpenVINOModel


def open_exported(path, format):
    """What `convert` or `export` wrote, as a function.

    Args:
        path: file or folder.
        format: a name in `FORMATS`.

    Returns:
        function from float32 lightness (batch, H, W, 1) to a dict of float32 arrays.

    Raises:
        ExportError: the program cannot open it.
    """
    open_path = {"onnx": _onnx, "openvino": _openvino, "saved_model": _saved_model, "litert": _litert}[format]
    try:
        return open_path(path)
    except Exception as error:  # the runtimes' own, which share no base
        raise ExportError(f"What was exported to {format} cannot be opened: {reason_of(error)}") from error


def _onnx(path):
    return OnnxModel(path).run


def _openvino(path):
    return OpenVINOModel(path, precision="float32").run


def _saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    return lambda lightness: {name: value.numpy() for name, value in loaded.serve({"lightness": lightness}).items()}


def _litert(path):
    import tensorflow as tf

    with quiet():
        run = tf.lite.Interpreter(str(path)).get_signature_runner("serving_default")
    return lambda lightness: run(lightness=lightness)
