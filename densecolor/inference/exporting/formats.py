"""The formats: what Keras calls them, how their files are named, and which packages writing and checking them takes."""

import dataclasses
import sys

from densecolor.errors import require_choice
from densecolor.errors import require_package

REASON_LENGTH = 300


@dataclasses.dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        keras_name: what `keras.Model.export` calls it.
        ending: of the file's (for "saved_model" the folder's) name.
        packages: modules beside TensorFlow that exporting and the check need, all of the extra `fast`.
    """

    keras_name: str
    ending: str
    packages: tuple = ()


FORMATS = {
    "onnx": Format("onnx", ".onnx", ("onnx", "tf2onnx", "onnxruntime")),
    "openvino": Format("openvino", ".xml", ("openvino",)),
    "saved_model": Format("tf_saved_model", "_saved_model"),
    "litert": Format("litert", ".tflite"),
}


def require_format(name):
    """The `Format` of this name, its packages imported.

    Raises:
        DensecolorError: there is none, or a package is missing.
    """
    require_choice("format", name, list(FORMATS))
    for package in FORMATS[name].packages:
        import_openvino() if package == "openvino" else require_package(package, "fast")
    return FORMATS[name]


def import_openvino():
    """The module `openvino`, imported without its telemetry, which else reports every import and every conversion.

    Raises:
        DensecolorError: it is not installed.
    """
    if {"openvino", "openvino_telemetry"} & set(sys.modules):
        return require_package("openvino", "fast")
    sys.modules["openvino_telemetry"] = None  # as if it were not installed, which OpenVINO allows for
    try:
        return require_package("openvino", "fast")
    finally:
        del sys.modules["openvino_telemetry"]


def reason_of(error):
    """What an exporter or a runtime says, which may be pages: its first words, in one line."""
    return " ".join(str(error).split())[:REASON_LENGTH] or type(error).__name__
