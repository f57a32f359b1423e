"""The size at which motion is found and colours are made steady."""

import cv2

from densecolor.color import srgb_to_lab
from densecolor.inference.picture import working_shape

GRID_SIZE = 256  # side in pixels of a square as large


def grid_of(rgb):
    """A frame reduced to the grid.

    Args:
        rgb: uint8 (H, W, 3).

    Returns:
        float32 (h, w, 3), Lab.
    """
    height, width = working_shape(*rgb.shape[:2], GRID_SIZE)
    return srgb_to_lab(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA))
