"""The conversions of `densecolor.color` in `keras.ops`, for use inside a model on any Keras backend.

All compute in float32 whatever comes in, and their gradients are finite everywhere.
"""

import keras
import numpy as np
from keras import ops

from densecolor.color.gamut import BISECTIONS
from densecolor.color.gamut import CHROMA_STEPS
from densecolor.color.gamut import MAX_CHROMA
from densecolor.color.gamut import TOLERANCE

# As OpenCV has them, so that both ways give the same colours.
_WHITE = np.float32((0.950456, 1.0, 1.088754))
_XYZ_TO_RGB = ((3.240479, -1.53715, -0.498535), (-0.969256, 1.875991, 0.041556), (0.055648, -0.204043, 1.057311))
_TO_RGB = np.float32(_XYZ_TO_RGB).T
_TO_XYZ = np.linalg.inv(np.float64(_XYZ_TO_RGB)).T.astype(np.float32)
_DELTA = 6 / 29  # CIE's: below its cube, a line replaces the cube root
_ENCODED_KNEE = 0.04045  # of the sRGB curve: a line below it
_LINEAR_KNEE = 0.0031308


def srgb_to_lab(rgb):
    """Convert sRGB to CIE Lab (D65), as `densecolor.color.srgb_to_lab`.

    Args:
        rgb: float tensor (..., 3) in [0, 1]; values outside are clipped.

    Returns:
        float32 tensor (..., 3): L in [0, 100], a and b.
    """
    rgb = ops.clip(ops.cast(rgb, "float32"), 0, 1)
    return _linear_to_lab(ops.where(rgb > _ENCODED_KNEE, ops.power((rgb + 0.055) / 1.055, 2.4), rgb / 12.92))


def lab_to_srgb(lab):
    """Convert CIE Lab (D65) to sRGB; colours outside the gamut keep L and hue and lose chroma.

    As `densecolor.color.lab_to_srgb`. How far the chroma is reduced counts as constant in the gradient.

    Args:
        lab: float tensor (..., 3); any a and b, however large.

    Returns:
        float32 tensor (..., 3) in [0, 1].
    """
    lab = ops.cast(lab, "float32")
    lightness = ops.clip(lab[..., :1], 0, 100)
    ab = ops.nan_to_num(lab[..., 1:], nan=0.0, posinf=1e6, neginf=-1e6)
    ab = ops.where((lightness == 0) | (lightness == 100), 0.0, ab)  # black and white have no colour
    ab = ab * ops.stop_gradient(_chroma_scale(lightness, ab))
    return _gamma_encode(ops.clip(_lab_to_linear(lightness, ab), 0, 1))


def lightness_to_gray(lightness):
    """The sRGB gray that has a lightness: the inverse of `densecolor.color.gray_to_lightness`.

    Args:
        lightness: float tensor of any shape, L in [0, 100].

    Returns:
        float32 tensor of the same shape, in [0, 1].
    """
    return _gamma_encode(_inverse_f((ops.cast(lightness, "float32") + 16) / 116))


@keras.saving.register_keras_serializable(package="densecolor")
class SRGBToLab(keras.layers.Layer):
    """`srgb_to_lab` as a layer: (..., 3) in [0, 1] to Lab."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, rgb):
        """Convert."""
        return srgb_to_lab(rgb)


@keras.saving.register_keras_serializable(package="densecolor")
class LabToSRGB(keras.layers.Layer):
    """`lab_to_srgb` as a layer: Lab to (..., 3) in [0, 1], inside the gamut."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, lab):
        """Convert."""
        return lab_to_srgb(lab)


def _chroma_scale(lightness, ab):
    """The factor (..., 1) in [0, 1] that brings ab into the gamut, as in `densecolor.color.gamut`."""
    # In two steps, since the square of a large a or b would overflow.
    bound = MAX_CHROMA / ops.maximum(ops.max(ops.abs(ab), axis=-1, keepdims=True), MAX_CHROMA)
    chroma = ops.sqrt(ops.sum(ops.square(ab * bound), axis=-1, keepdims=True))
    bound = bound * MAX_CHROMA / ops.maximum(chroma, MAX_CHROMA)
    low = ops.zeros_like(bound)
    for step in range(1, CHROMA_STEPS + 1):
        factor = step / CHROMA_STEPS
        low = ops.where(_is_in_gamut(lightness, ab * bound * factor), factor, low)
    high = ops.minimum(low + 1 / CHROMA_STEPS, 1.0)
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        inside = _is_in_gamut(lightness, ab * bound * middle)
        low = ops.where(inside, middle, low)
        high = ops.where(inside, high, middle)
    return bound * low


def _is_in_gamut(lightness, ab):
    clipped = _linear_to_lab(ops.clip(_lab_to_linear(lightness, ab), 0, 1))
    moved = ops.abs(clipped - ops.concatenate([lightness, ab], axis=-1))
    return ops.all(moved <= np.float32(TOLERANCE), axis=-1, keepdims=True)


def _linear_to_lab(linear):
    xyz = ops.divide(ops.matmul(linear, _TO_XYZ), _WHITE)
    root = ops.power(ops.maximum(xyz, _DELTA**3), 1 / 3)
    f = ops.where(xyz > _DELTA**3, root, xyz / (3 * _DELTA**2) + 4 / 29)
    f_x, f_y, f_z = f[..., 0], f[..., 1], f[..., 2]
    return ops.stack([116 * f_y - 16, 500 * (f_x - f_y), 200 * (f_y - f_z)], axis=-1)


def _lab_to_linear(lightness, ab):
    f_y = (lightness + 16) / 116
    f = ops.concatenate([f_y + ab[..., :1] / 500, f_y, f_y - ab[..., 1:] / 200], axis=-1)
    return ops.matmul(ops.multiply(_inverse_f(f), _WHITE), _TO_RGB)


def _inverse_f(f):
    return ops.where(f > _DELTA, f * f * f, 3 * _DELTA**2 * (f - 4 / 29))


def _gamma_encode(linear):
    # The maximum keeps the power's gradient finite where the line is used instead of it.
    curve = 1.055 * ops.power(ops.maximum(linear, _LINEAR_KNEE), 1 / 2.4) - 0.055
    return ops.where(linear > _LINEAR_KNEE, curve, 12.92 * linear)
