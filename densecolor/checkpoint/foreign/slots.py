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
    """The tensors of a convolution of PyTorch, transposed ones included: kernel and, where there is one, bias.

    Args:
        name: of the PyTorch module.
        layer: `Conv2D` or `Conv2DTranspose`.

    Returns:
        dict of the tensors' names to `Slot`.
    """
    rows, columns, *channels = layer.kernel.shape
    # (out, in, rows, columns) becomes (rows, columns, in, out), or with in and out exchanged in both.
    found = {f"{name}.weight": Slot(layer.kernel, (*reversed(channels), rows, columns), _convert_kernel)}
    if layer.use_bias:
        found[f"{name}.bias"] = Slot(layer.bias, tuple(layer.bias.shape))
    return found


def norm_slots(name, norm):
    """The tensors of a BatchNorm2d of PyTorch.

    Args:
        name: of the PyTorch module.
        norm: `BatchNormalization`.

    Returns:
        dict of the tensors' names to `Slot`.
    """
    return {
        f"{name}.weight": Slot(norm.gamma, tuple(norm.gamma.shape)),
        f"{name}.bias": Slot(norm.beta, tuple(norm.beta.shape)),
        f"{name}.running_mean": Slot(norm.moving_mean, tuple(norm.moving_mean.shape)),
        f"{name}.running_var": Slot(norm.moving_variance, tuple(norm.moving_variance.shape)),
        f"{name}.num_batches_tracked": Slot(None, ()),
    }


def _convert_kernel(weight):
    return np.transpose(weight, (2, 3, 1, 0))
