"""Models for other programs: ONNX, OpenVINO, TensorFlow's SavedModel and LiteRT, checked against Keras."""

from densecolor.inference.exporting.export import Exported
from densecolor.inference.exporting.export import export
from densecolor.inference.exporting.formats import FORMATS

__all__ = ["FORMATS", "Exported", "export"]
