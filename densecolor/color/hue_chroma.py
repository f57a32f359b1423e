"""Hue and chroma of sRGB colours, as Larsson et al. predict them (ECCV 2016); NumPy only.

A colour is its gray, its hue on the HSV circle, and its chroma, the largest of R, G and B less the smallest.
"""

import cv2
import numpy as np

from densecolor.color.lab import lab_to_srgb
from densecolor.color.opencv import convert

HISTOGRAM_BINS = 32  # uniform, of hue and of chroma, each in [0, 1]


def lab_to_hue_chroma(lab):
    """Hue and chroma of Lab colours that came from sRGB.

    Args:
        lab: float array (..., 3).

    Returns:
        float32 array (..., 2): hue in [0, 1), of red 0, of green 1/3, of gray 0; chroma in [0, 1].

    Example:
        >>> lab_to_hue_chroma(np.float32([[53.24, 80.09, 67.2], [50, 0, 0]])).round(3).tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """
    rgb = lab_to_srgb(lab, in_gamut=True).astype(np.float32) / 255
    hsv = convert(rgb, cv2.COLOR_RGB2HSV)
    return np.stack([hsv[..., 0] / 360 % 1, hsv[..., 1] * hsv[..., 2]], axis=-1)
