"""Lab values to and from the ranges that models see and that shards store.

The `normalize_*` pair works on NumPy arrays, Keras tensors and plain numbers alike.
"""

import numpy as np

AB_SCALE = 128.0  # a model's ab is (a, b) / AB_SCALE


def normalize_lightness(lightness):
    """L in [0, 100] to a model's input in [-1, 1]."""
    return lightness / 50.0 - 1.0


def denormalize_lightness(lightness):
    """A model's input in [-1, 1] back to L in [0, 100]."""
    return (lightness + 1.0) * 50.0


def normalize_ab(ab):
    """Bring a and b in [-128, 127] to a model's output range, [-1, 1)."""
    return ab / AB_SCALE


def denormalize_ab(ab):
    """A model's output back to a and b."""
    return ab * AB_SCALE


def quantize_lightness(lightness):
    """L in [0, 100], float, to the uint8 that shards store: L * 255 / 100, rounded.

    Example:
        >>> int(quantize_lightness(np.float32(50)))
        128
    """
    return np.clip(np.rint(lightness * np.float32(2.55)), 0, 255).astype(np.uint8)


def dequantize_lightness(lightness):
    """The uint8 of a shard back to L in [0, 100], float32."""
    return np.multiply(lightness, np.float32(100 / 255), dtype=np.float32)


def quantize_ab(ab):
    """Round a and b, float, to the int8 that shards store, clipped to [-128, 127]."""
    return np.clip(np.rint(ab), -128, 127).astype(np.int8)
