"""Pictures as screens show them: 8 bits, three channels, no larger than there is room."""

import cv2
import numpy as np


def to_8_bits(values):
    """Values of 8 bits as they are, those of 16 bits rounded to them.

    Args:
        values: array of uint8 or uint16.

    Returns:
        uint8 of the same shape; the array itself where it has 8 bits.

    Example:
        >>> to_8_bits(np.uint16([0, 128, 129, 65535])).tolist()
        [0, 0, 1, 255]
    """
    return values if values.dtype == np.uint8 else np.rint(values / np.float32(257)).astype(np.uint8)


def to_rgb8(pixels):
    """A picture in 8 bits and three channels, gray repeated.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3), sRGB.

    Returns:
        uint8 (H, W, 3), C-contiguous.

    Example:
        >>> to_rgb8(np.full((1, 1), 65535, np.uint16)).tolist()
        [[[255, 255, 255]]]
    """
    pixels = to_8_bits(pixels)
    return cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB) if pixels.ndim == 2 else np.ascontiguousarray(pixels)


def shrink(pixels, longest_side):
    """A picture reduced, in its own proportions, to where its longer side fits; a smaller one as it is.

    Args:
        pixels: (H, W) or (H, W, channels).
        longest_side: int, pixels.

    Returns:
        array of the same type, (h, w) or (h, w, channels).

    Example:
        >>> shrink(np.zeros((100, 400), np.uint8), 200).shape
        (50, 200)
    """
    height, width = pixels.shape[:2]
    scale = longest_side / max(height, width)
    if scale >= 1:
        return pixels
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
