"""Where the tensors of another framework go in one of our models."""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import numpy as np


def as_it_is(array):
    """The array itself."""
    return array


class Slot(NamedTuple):
    """The place of one tensor."""

    variable: Any  # Keras variable; None for what we have no use for, such as counters
    shape: tuple  # that the tensor must have
    convert: Callable = as_it_is  # from the tensor to the variable's value


def convolution_slots(name, layer):
    """The two tensors of a convolution of PyTorch, transposed ones included.

    Args:
        name: of the PyTorch module.
        layer: `Conv2D` or `Conv2DTranspose`.

    Returns:
        dict of the tensors' names to `Slot`.
    """
    rows, columns, *channels = layer.kernel.shape
    # (out, in, rows, columns) becomes (rows, columns, in, out), or with in and out exchanged in both.
    return {
        f"{name}.weight": Slot(layer.kernel, (*reversed(channels), rows, columns), _convert_kernel),
        f"{name}.bias": Slot(layer.bias, tuple(layer.bias.shape)),
    }


def _convert_kernel(weight):
    return np.transpose(weight, (2, 3, 1, 0))
