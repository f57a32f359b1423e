"""Colour of the working resolution brought to a picture's full size, a band of rows at a time.

`guided` is the idea of He, Sun, Tang ("Guided Image Filtering", PAMI 2013; "Fast Guided Filter", 2015) put to the
missing detail only: around each pixel of the working resolution a and b follow L with some slope; ab is enlarged
bicubically, and the detail of L that the enlarged small L lacks is added times the slope. So an edge of colour is as
sharp as the picture's own edge. The guided filter itself, which also replaces what the network predicted by its local
model, measured worse than plain enlargement (docs/colorizing.md).
"""

import cv2
import numpy as np

UPSAMPLINGS = ("guided", "bilinear")
# Steps of L of about the root of this are edges; what is flatter has noise, which says nothing of colour.
EDGE_VARIANCE = 60.0
_CUBIC = -0.75  # OpenCV's cubic kernel


class Upsampler:
    """Enlarges ab to rows of the full size.

    Args:
        ab: float32 (h, w, channels), a and b at the working resolution, or whatever else follows edges as they do.
        lightness: float32 (h, w), L of the same pixels.
        height: int, of the full size.
        width: int, of the full size.
        method: a name in `UPSAMPLINGS`.
    """

    def __init__(self, ab, lightness, height, width, method="guided"):
        self._height = height
        self._guided = method == "guided"
        self._channels = ab.shape[2]
        if self._guided:
            maps = np.dstack([ab, _slopes(ab, lightness), lightness])
            self._taps = _cubic_taps
            interpolation = cv2.INTER_CUBIC
        else:
            maps = ab
            self._taps = _linear_taps
            interpolation = cv2.INTER_LINEAR
        # Widened once for all bands; the rows that a band needs are interpolated from it.
        self._wide = cv2.resize(np.ascontiguousarray(maps), (width, len(maps)), interpolation=interpolation)

    def rows(self, start, stop, lightness):
        """The ab of the rows from `start` to `stop`.

        Args:
            start: int.
            stop: int.
            lightness: float32 (stop - start, width), their L.

        Returns:
            float32 (stop - start, width, channels).
        """
        maps = self._interpolated(start, stop)
        if not self._guided:
            return maps
        count = self._channels
        detail = lightness - maps[..., -1]
        ab = np.ascontiguousarray(maps[..., :count])
        ab += maps[..., count : 2 * count] * detail[..., None]
        return ab

    def _interpolated(self, start, stop):
        rows = len(self._wide)
        positions = (np.arange(start, stop) + 0.5) * (rows / self._height) - 0.5
        first = np.floor(positions).astype(int)
        maps = np.zeros((stop - start, *self._wide.shape[1:]), np.float32)
        for offset, weights in self._taps(positions - first):
            source = self._wide[np.clip(first + offset, 0, rows - 1)]
            source *= weights.astype(np.float32)[:, None, None]
            maps += source
        return maps


def _linear_taps(fraction):
    """Offsets from the row above, and the weights there, for positions at these fractions of a row below it."""
    return [(0, 1 - fraction), (1, fraction)]


def _cubic_taps(fraction):
    """Keys, "Cubic convolution interpolation for digital image processing", 1981."""
    taps = []
    for offset in (-1, 0, 1, 2):
        x = np.abs(fraction - offset)
        near = ((_CUBIC + 2) * x - (_CUBIC + 3)) * x * x + 1
        far = ((_CUBIC * x - 5 * _CUBIC) * x + 8 * _CUBIC) * x - 4 * _CUBIC
        taps.append((offset, np.where(x <= 1, near, far)))
    return taps


def _slopes(ab, lightness):
    """By how much ab changes with L around each pixel, of its shape: least squares in 3 x 3, smoothed."""
    mean = _blur(lightness)
    variance = _blur(lightness * lightness) - mean * mean
    covariance = _blur(lightness[..., None] * ab) - mean[..., None] * _blur(ab)
    return _blur(covariance / (np.maximum(variance, 0) + EDGE_VARIANCE)[..., None])


def _blur(values):
    return cv2.blur(values, (3, 3), borderType=cv2.BORDER_REPLICATE)
