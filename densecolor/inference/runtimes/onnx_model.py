"""A colorizer run by onnxruntime."""

import numpy as np

from densecolor.errors import require_package


class OnnxModel:
    """An exported colorizer in onnxruntime, with the part of a Keras model's interface that colorizing needs.

    Args:
        source: path of an .onnx file, or its bytes.
        name, working_size, fingerprint: of the Keras model; the last as `inference.identity.identify_model` has it.
    """

    def __init__(self, source, name="colorizer", working_size=256, fingerprint=""):
        runtime = require_package("onnxruntime", "fast")
        options = runtime.SessionOptions()
        options.log_severity_level = 3  # errors only
        source = source if isinstance(source, bytes) else str(source)
        self._session = runtime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
        self._outputs = [output.name for output in self._session.get_outputs()]
        self.name = name
        self.working_size = working_size
        self.fingerprint = fingerprint

    def run(self, lightness):
        """Float32 (batch, H, W, 1) in [-1, 1] to a dict of outputs."""
        values = self._session.run(self._outputs, {"lightness": np.asarray(lightness, np.float32)})
        return dict(zip(self._outputs, values, strict=True))

    def predict_on_batch(self, inputs):
        """As of a Keras model: `{"lightness": (batch, H, W, 1)}` to a dict with `ab`, (batch, H, W, 2)."""
        return self.run(inputs["lightness"])
