"""sRGB to the 8-bit Lab of a shard, many pictures of one size one after the other."""

import cv2
import numpy as np

from densecolor.color.lab import linear_light


class LabPlanes:
    """The planes of one picture after the other, always in the same memory: allocating costs as much as converting.

    Args:
        height, width: size of all pictures in pixels.

    Attributes:
        lightness, a, b: float32 (height, width), of the picture last converted.

    Example:
        >>> planes = LabPlanes(64, 64)
        >>> planes.convert(rgb)
        >>> planes.quantize_lightness(shard_lightness[0])
    """

    def __init__(self, height, width):
        self._linear = np.empty((height, width, 3), np.float32)
        self._lab = np.empty((height, width, 3), np.float32)
        self._rounded = [np.empty((height, width), np.int8) for _ in "ab"]
        self.lightness, self.a, self.b = (np.empty((height, width), np.float32) for _ in "Lab")

    def convert(self, rgb):
        """Convert one picture, as `srgb_to_lab` does.

        Args:
            rgb: uint8 or uint16 (height, width, 3), sRGB.
        """
        linear_light(rgb, self._linear)
        cv2.cvtColor(self._linear, cv2.COLOR_LRGB2LAB, self._lab)
        cv2.split(self._lab, [self.lightness, self.a, self.b])

    def quantize_lightness(self, out):
        """Write L * 255 / 100, rounded, into `out`, uint8 (height, width)."""
        cv2.convertScaleAbs(self.lightness, out, alpha=2.55)

    def quantize_ab(self, out):
        """Write a and b, rounded, into `out`, int8 (height, width, 2)."""
        for plane, rounded in zip((self.a, self.b), self._rounded, strict=True):
            cv2.add(plane, 0.0, rounded, dtype=cv2.CV_8S)
        cv2.merge(self._rounded, out)
