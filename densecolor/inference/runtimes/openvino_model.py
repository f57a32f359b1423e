"""A colorizer run by OpenVINO."""

import functools
import threading
from pathlib import Path

import numpy as np

from densecolor.errors import require_choice
from densecolor.inference.exporting.formats import import_openvino

PRECISIONS = ("auto", "float32")


@functools.cache
def shared_core():
    """The `openvino.Core` of this process, which is never closed.

    Each core gives the thread that opens it a stack for signal handlers, and frees it when it is closed. Where two
    cores overlap, the thread may be left with a stack that is gone, and the next Ctrl-C crashes the process.

    Raises:
        DensecolorError: OpenVINO is not installed.
    """
    return import_openvino().Core()


class OpenVINOModel:
    """An exported colorizer in OpenVINO, with the part of a Keras model's interface that colorizing needs.

    All cores work on one picture after the other; calls from several threads wait for each other.

    Args:
        source: path of an .xml file, or pair of bytes: of the .xml and of its .bin file.
        name, working_size, fingerprint: of the Keras model; the last as `inference.identity.identify_model` has it.
        precision: "auto" computes in bfloat16 where the processor can, twice as fast; "float32" never does.
    """

    def __init__(self, source, name="colorizer", working_size=256, fingerprint="", precision="auto"):
        require_choice("precision", precision, PRECISIONS)
        openvino, core = import_openvino(), shared_core()
        if isinstance(source, tuple):
            graph, weights = source
            model = core.read_model(graph, openvino.Tensor(np.frombuffer(weights, np.uint8)))
        else:
            model = core.read_model(str(Path(source)))
        options = {"PERFORMANCE_HINT": "LATENCY"}
        if precision == "float32":
            options["INFERENCE_PRECISION_HINT"] = "f32"
        self._compiled = core.compile_model(model, "CPU", options)
        self._outputs = [output.any_name for output in self._compiled.outputs]
        self._lock = threading.Lock()
        self.name = name
        self.working_size = working_size
        self.fingerprint = fingerprint

    def run(self, lightness):
        """Float32 (batch, H, W, 1) in [-1, 1] to a dict of outputs."""
        with self._lock:
            result = self._compiled({"lightness": np.ascontiguousarray(lightness, np.float32)})
        return {name: result[index] for index, name in enumerate(self._outputs)}

    def predict_on_batch(self, inputs):
        """As of a Keras model: `{"lightness": (batch, H, W, 1)}` to a dict with `ab`, (batch, H, W, 2)."""
        return self.run(inputs["lightness"])
