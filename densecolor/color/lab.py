"""sRGB to and from CIE Lab with OpenCV's float path, several times as fast as scikit-image.

The sRGB curve is applied here, by table, before OpenCV sees linear light: its own float conversion from sRGB
interpolates in a coarse cube and is off by up to 0.4 in L, a and b.
"""

import functools

import cv2
import numpy as np

from densecolor.color.gamut import map_to_gamut
from densecolor.color.gamut import map_to_gamut_with_account
from densecolor.color.gamut import restore_lightness
from densecolor.color.opencv import convert
from densecolor.errors import ImageError

_FULL_SCALE = {np.dtype(np.uint8): 255.0, np.dtype(np.uint16): 65535.0}


def srgb_to_lab(rgb):
    """Convert sRGB to CIE Lab (D65).

    Args:
        rgb: array (..., 3), R, G, B; uint8, uint16, or float in [0, 1] (values outside are clipped).

    Returns:
        float32 array (..., 3): L in [0, 100], a and b.

    Raises:
        ImageError: the last axis is not 3, or the type is another integer one.

    Example:
        >>> srgb_to_lab(np.uint8([[[255, 0, 0]]])).round(1).tolist()
        [[[53.2, 80.1, 67.2]]]
    """
    rgb = np.asarray(rgb)
    if rgb.ndim == 0 or rgb.shape[-1] != 3:
        raise ImageError(f"`rgb` must end in an axis of 3 channels. Received: shape={rgb.shape}.")
    return convert(linear_light(rgb), cv2.COLOR_LRGB2LAB)


def lab_to_srgb(lab, dtype=np.uint8, in_gamut=False):
    """Convert CIE Lab (D65) to sRGB; colours outside the gamut keep L and hue and lose chroma.

    Args:
        lab: array (..., 3), any float type; any a and b, however large.
        dtype: `np.uint8`, `np.uint16` (both rounded) or `np.float32` (in [0, 1]).
        in_gamut: True where `lab` is known to lie in the gamut already (came from sRGB, or from
            `map_to_gamut`), which saves the check.

    Returns:
        array (..., 3) of `dtype`.

    Example:
        >>> lab_to_srgb(np.float32([[[53.24, 80.09, 67.2]]])).tolist()
        [[[255, 0, 0]]]
    """
    lab = np.asarray(lab, np.float32)
    if lab.ndim == 0 or lab.shape[-1] != 3:
        raise ImageError(f"`lab` must end in an axis of 3 channels. Received: shape={lab.shape}.")
    if not in_gamut:
        lab = map_to_gamut(lab)
    dtype = np.dtype(dtype)
    if dtype == np.uint8:
        return _rounded(convert(lab, cv2.COLOR_LAB2RGB), dtype)
    rgb = _gamma_encode(convert(lab, cv2.COLOR_LAB2LRGB))  # OpenCV's curve is good for 8 bits, not for 16
    return _rounded(rgb, dtype) if dtype in _FULL_SCALE else np.clip(rgb, 0, 1).astype(dtype)


def lab_to_srgb_with_account(lab, dtype=np.uint8):
    """Like `lab_to_srgb`, with the lightness kept to one value of `dtype`, and with what the gamut cost.

    `map_to_gamut` lets L, a and b move a little, as rounded values of real pictures do. Here a colour that would, loses
    some more chroma instead.

    Args:
        lab: array (..., 3), any float type; any a and b, however large.
        dtype: `np.uint8` or `np.uint16`.

    Returns:
        array (..., 3) of `dtype`, and a `GamutAccount`.

    Example:
        >>> rgb, account = lab_to_srgb_with_account(np.float32([[50, 400, 0], [50, 10, 0]]))
        >>> account.reduced, account.pixels
        (1, 2)
    """
    dtype = np.dtype(dtype)
    mapped, suspect, account = map_to_gamut_with_account(lab)
    rgb = lab_to_srgb(mapped, dtype, in_gamut=True)
    if not len(suspect):
        return rgb, account(np.zeros((0, 3), np.float32))
    near = mapped.reshape(-1, 3)[suspect]
    linear = restore_lightness(convert(near, cv2.COLOR_LAB2LRGB), near[:, 0])
    rgb.reshape(-1, 3)[suspect] = _rounded(_gamma_encode(linear), dtype)
    return rgb, account(convert(linear, cv2.COLOR_LRGB2LAB))


def _rounded(rgb, dtype):
    full_scale = np.float32(_FULL_SCALE[dtype])
    return np.clip(np.rint(rgb * full_scale), 0, full_scale).astype(dtype)


def gray_to_lightness(gray):
    """L of a gray picture: the lightness of sRGB with R = G = B = gray (linear light, never luma).

    Args:
        gray: array of any shape; uint8, uint16, or float in [0, 1].

    Returns:
        float32 array of the same shape, L in [0, 100].

    Example:
        >>> gray_to_lightness(np.uint8([0, 119, 255])).round(1).tolist()
        [0.0, 50.0, 100.0]
    """
    luminance = linear_light(np.asarray(gray))
    f = np.where(luminance > (6 / 29) ** 3, np.cbrt(luminance), luminance * (29 / 6) ** 2 / 3 + 4 / 29)
    return (116 * f - 16).astype(np.float32)


@functools.cache
def _linear_light_table(dtype):
    full_scale = _FULL_SCALE[dtype]
    return _gamma_decode(np.arange(int(full_scale) + 1) / full_scale).astype(np.float32)


def linear_light(values, out=None):
    """The sRGB curve undone.

    Args:
        values: uint8, uint16 or float in [0, 1], any shape.
        out: float32 array of the same shape, C-contiguous, to write into; only for uint8 and uint16.

    Returns:
        float32 array in [0, 1], `out` if it was given.
    """
    if values.dtype == np.uint8 and values.size:  # a quarter of the time of np.take
        row = np.ascontiguousarray(values).reshape(1, -1)
        into = None if out is None else out.reshape(1, -1)
        return cv2.LUT(row, _linear_light_table(values.dtype), into).reshape(values.shape)
    if values.dtype in _FULL_SCALE:
        return np.take(_linear_light_table(values.dtype), values, out=out, mode="clip")
    if np.issubdtype(values.dtype, np.floating):
        return _gamma_decode(np.clip(values, 0, 1)).astype(np.float32)
    raise ImageError(f"Pixels must be uint8, uint16 or floats in [0, 1]. Received: dtype={values.dtype}.")


def _gamma_decode(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _gamma_encode(linear):
    linear = np.clip(linear, 0, 1)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
