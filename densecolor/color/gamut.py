"""Bring Lab colours into the sRGB gamut on purpose: keep L and hue, reduce chroma.

Clipping R, G and B instead shifts both lightness and hue, and storing a, b in 8 bits without a check wraps
them round; both leave blotches in colorized pictures.
"""

import numpy as np

# Linear-light tolerance: a third of an 8-bit code value where the sRGB curve is steepest.
TOLERANCE = 1e-4
# No sRGB colour has more chroma (blue has 133.8), so bisection can start here whatever comes in.
MAX_CHROMA = 134.0
BISECTIONS = 12  # leaves an error of MAX_CHROMA / 2**12 = 0.03 in chroma

WHITE = (0.950456, 1.0, 1.088754)  # D65, as OpenCV has it
XYZ_TO_LINEAR_RGB = (
    (3.240479, -1.53715, -0.498535),
    (-0.969256, 1.875991, 0.041556),
    (0.055648, -0.204043, 1.057311),
)


def map_to_gamut(lab):
    """Reduce the chroma of Lab colours that sRGB cannot show, at the same L and hue.

    Args:
        lab: float array (..., 3); any values, a and b far beyond +-128 and infinities of them included.

    Returns:
        float32 array (..., 3): colours inside the gamut unchanged, L clipped to [0, 100], NaN in a or b
        turned into neutral gray.

    Example:
        >>> map_to_gamut(np.float32([[50, 400, 0]])).round(0).tolist()
        [[50.0, 82.0, 0.0]]
    """
    lab = np.array(lab, np.float32)
    lab[..., 0] = np.clip(lab[..., 0], 0, 100)
    outside = ~_is_in_gamut(lab)
    if outside.any():
        lab[outside] = _reduce_chroma(lab[outside])
    return lab


def _reduce_chroma(lab):
    ab = np.nan_to_num(lab[:, 1:], nan=0.0, posinf=1e6, neginf=-1e6)
    chroma = np.hypot(ab[:, 0], ab[:, 1])[:, None]
    ab *= np.minimum(1, MAX_CHROMA / np.maximum(chroma, 1e-6))
    low = np.zeros_like(chroma)
    high = np.ones_like(chroma)
    candidate = lab.copy()
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        candidate[:, 1:] = ab * middle
        inside = _is_in_gamut(candidate)[:, None]
        low = np.where(inside, middle, low)
        high = np.where(inside, high, middle)
    candidate[:, 1:] = ab * low
    return candidate


def _is_in_gamut(lab):
    f_y = (lab[..., 0] + 16) / 116
    f = np.stack([f_y + lab[..., 1] / 500, f_y, f_y - lab[..., 2] / 200], axis=-1)
    with np.errstate(over="ignore", invalid="ignore"):
        xyz = np.where(f > 6 / 29, f * f * f, 3 * (6 / 29) ** 2 * (f - 4 / 29)) * np.float32(WHITE)
        rgb = xyz @ np.float32(XYZ_TO_LINEAR_RGB).T
        return ((rgb >= -TOLERANCE) & (rgb <= 1 + TOLERANCE)).all(axis=-1)
