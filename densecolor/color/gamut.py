"""Bring Lab colours into the sRGB gamut on purpose: keep L and hue, reduce chroma.

Clipping R, G and B instead shifts both lightness and hue, and storing a, b in 8 bits without a check wraps
them round; both leave blotches in colorized pictures.
"""

import dataclasses

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
LEAST_LOSS = 0.1  # of chroma; less is the search's own error and counts as none
PREDICTED_CHROMA = 182.0  # a and b of +-128: what lies beyond counts as this
LUMINANCE = np.array([0.212671, 0.715160, 0.072169])  # of linear R, G and B, as OpenCV has them


@dataclasses.dataclass(frozen=True)
class GamutAccount:
    """What it cost to bring colours into the gamut; accounts of parts of a picture can be added.

    Attributes:
        pixels: how many there were.
        reduced: how many lost chroma; black and white ones that were to have a colour are among them.
        lost: chroma lost, the sum over all pixels.
    """

    pixels: int = 0
    reduced: int = 0
    lost: float = 0.0

    def __add__(self, other):
        return GamutAccount(self.pixels + other.pixels, self.reduced + other.reduced, self.lost + other.lost)

    @property
    def reduced_share(self):
        """Share of the pixels that lost chroma, in [0, 1]."""
        return self.reduced / max(self.pixels, 1)

    @property
    def mean_chroma_lost(self):
        """Chroma lost, the mean over all pixels."""
        return self.lost / max(self.pixels, 1)


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
    return _map(np.array(lab, np.float32, order="C"))[0]


def map_to_gamut_with_account(lab):
    """Like `map_to_gamut`, with what it cost.

    Args:
        lab: see `map_to_gamut`.

    Returns:
        float32 array (..., 3); indices of the pixels that lie near the gamut's border or had to be moved; a function
        that makes the `GamutAccount`, given the final Lab colours (N, 3) of those pixels.
    """
    lab = np.asarray(lab, np.float32)
    mapped, suspect = _map(np.array(lab, order="C"))

    def account(final):
        before = np.nan_to_num(lab.reshape(-1, 3)[suspect, 1:], nan=0.0)
        lost = np.minimum(_chroma(before), PREDICTED_CHROMA) - _chroma(final[:, 1:])
        lost = lost[lost > LEAST_LOSS]
        return GamutAccount(lab.size // 3, len(lost), float(lost.sum(dtype=np.float64)))

    return mapped, suspect, account


def restore_lightness(linear, lightness):
    """Give colours just their lightness: darker ones go towards white, brighter ones towards black.

    Args:
        linear: float32 (N, 3), linear R, G and B in [0, 1].
        lightness: float32 (N,), L.

    Returns:
        float32 (N, 3), in [0, 1].
    """
    f = (lightness.astype(np.float64) + 16) / 116
    wanted = np.where(f > 6 / 29, f**3, (f - 4 / 29) * (3 * (6 / 29) ** 2))
    luminance = linear @ LUMINANCE
    whiter = np.clip((wanted - luminance) / np.maximum(1 - luminance, 1e-9), 0, 1)[:, None]
    darker = np.clip(wanted / np.maximum(luminance, 1e-9), 0, 1)[:, None]
    return ((linear + whiter * (1 - linear)) * darker).astype(np.float32)


def _chroma(ab):
    return np.hypot(ab[:, 0], ab[:, 1])


def _map(lab):
    """`map_to_gamut` in place; with the indices of the pixels that had to be looked at."""
    if not lab.size:
        return lab, np.zeros(0, int)
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
    return lab, suspect


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
