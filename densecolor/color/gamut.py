"""Bring Lab colours into the sRGB gamut on purpose: keep L and hue, reduce chroma.

Clipping R, G and B instead shifts both lightness and hue, and storing a, b in 8 bits without a check wraps
them round; both leave blotches in colorized pictures.
"""

import cv2
import numpy as np

from densecolor.color.opencv import convert

# A colour counts as inside if clipping its R, G and B moves L, a and b by no more than this: what rounding in a shard
# does to colours of real pictures. Without it, rounding alone would turn bright yellows nearly white.
TOLERANCE = (0.25, 1.0, 1.0)
ROUNDING = 1e-3  # what single precision leaves of a and b in a picture's whites
# No sRGB colour has more chroma (blue has 133.8), so the search can start here whatever comes in.
MAX_CHROMA = 134.0
# Seen from gray at the lightness of yellow, the gamut has a gap before its tip: going outward a colour leaves it and
# enters it again. So all of these fractions of the chroma are tried, from the largest, before bisection.
CHROMA_STEPS = 32
BISECTIONS = 6  # leaves an error of MAX_CHROMA / CHROMA_STEPS / 2**6 = 0.07 in chroma


def map_to_gamut(lab):
    """Reduce the chroma of Lab colours that sRGB cannot show, at the same L and hue.

    Args:
        lab: float array (..., 3); any values, a and b far beyond +-128 and infinities of them included.

    Returns:
        float32 array (..., 3): colours inside the gamut unchanged, L clipped to [0, 100], NaN in a or b
        turned into neutral gray. Black (L = 0) and white (L = 100) are neutral: there the tolerance does not hold.

    Example:
        >>> map_to_gamut(np.float32([[50, 400, 0]])).round(0).tolist()
        [[50.0, 80.0, 0.0]]
    """
    lab = np.array(lab, np.float32, order="C")
    if not lab.size:
        return lab
    colors = lab.reshape(-1, 3)
    np.clip(colors[:, 0], 0, 100, out=colors[:, 0])
    # OpenCV clips what it converts: a colour strictly between 0 and 1 is certainly inside, and only the others,
    # few in most pictures, need the closer look.
    linear = convert(lab, cv2.COLOR_LAB2LRGB).reshape(-1, 1, 3)
    suspect = np.flatnonzero(cv2.inRange(linear, (1e-6,) * 3, (1 - 1e-6,) * 3) == 0)
    ends = suspect[np.isin(colors[suspect, 0], (0, 100))]
    colors[ends, 1:] = np.where(np.abs(colors[ends, 1:]) < ROUNDING, colors[ends, 1:], 0)
    outside = suspect[~_is_in_gamut(colors[suspect])]
    colors[outside] = _reduce_chroma(colors[outside])
    return lab


def _reduce_chroma(lab):
    ab = np.nan_to_num(lab[:, 1:], nan=0.0, posinf=1e6, neginf=-1e6)
    chroma = np.hypot(ab[:, 0], ab[:, 1])[:, None]
    ab *= np.minimum(1, MAX_CHROMA / np.maximum(chroma, 1e-6))

    lab = np.concatenate([lab[:, :1], ab], axis=1)
    low = np.zeros_like(chroma)
    places, unsolved = np.arange(len(lab)), lab
    for factor in np.arange(CHROMA_STEPS, 0, -1) / CHROMA_STEPS:
        if not len(places):
            break
        inside = _is_in_gamut(cv2.multiply(unsolved.reshape(-1, 1, 3), (1, factor, factor, 0)).reshape(-1, 3))
        if inside.any():
            low[places[inside]] = factor
            places, unsolved = places[~inside], unsolved[~inside]
    high = np.minimum(low + 1 / CHROMA_STEPS, 1)
    scaled = lab.copy()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        np.multiply(ab, middle, out=scaled[:, 1:])
        inside = _is_in_gamut(scaled)[:, None]
        low = np.where(inside, middle, low)
        high = np.where(inside, high, middle)
    np.multiply(ab, low, out=scaled[:, 1:])
    return scaled


def _is_in_gamut(lab):
    if not lab.size:  # OpenCV knows no empty arrays
        return np.zeros(lab.shape[:-1], bool)
    clipped = convert(convert(lab, cv2.COLOR_LAB2LRGB), cv2.COLOR_LRGB2LAB)
    difference = cv2.absdiff(clipped, np.ascontiguousarray(lab, np.float32)).reshape(-1, 1, 3)
    return cv2.inRange(difference, (0, 0, 0), TOLERANCE).reshape(lab.shape[:-1]) != 0
