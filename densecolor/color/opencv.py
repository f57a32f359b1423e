"""OpenCV's colour conversions for arrays of any shape."""

import cv2
import numpy as np


def convert(colors, conversion):
    """Apply a conversion such as `cv2.COLOR_LRGB2LAB`, which wants (rows, columns, 3), to an array (..., 3).

    Returns:
        float32 array of the same shape.
    """
    if colors.size == 0:
        return np.zeros(colors.shape, np.float32)
    columns = colors.shape[-2] if colors.ndim > 1 else 1
    rows = np.ascontiguousarray(colors, np.float32).reshape(-1, columns, 3)
    return cv2.cvtColor(rows, conversion).reshape(colors.shape)
