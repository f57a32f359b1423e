"""Run a colorizer by another program than Keras: faster, and the same colours.

A runtime is an object with the part of a Keras model's interface that colorizing needs: `predict_on_batch`, from
`{"lightness": (batch, H, W, 1)}` to a dict with `ab`, and the attributes `name` and `working_size`.
"""

from densecolor.inference.runtimes.load import RUNTIMES
from densecolor.inference.runtimes.load import load
from densecolor.inference.runtimes.openvino_model import PRECISIONS

__all__ = ["PRECISIONS", "RUNTIMES", "load"]
