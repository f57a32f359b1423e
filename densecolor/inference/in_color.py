"""Whether a picture is in colour already, or gray: as scans and cameras deliver gray, tinted and noisy."""

import cv2
import numpy as np

from densecolor.color import srgb_to_lab

LOOKED_AT = 128  # side in pixels of what is looked at: reduced so far, a JPEG's blocks and a scan's noise are gone
GROUPS = 64  # of pixels of like lightness, each with a tint of its own
LEAST_GROUP = 16  # pixels: fewer would be their own tint
TOLERANCE = 10.0  # chroma that a pixel may differ by from the tint of its lightness
LARGEST_SHARE = 0.01  # of pixels that may differ by more
STRONGEST_TINT = 30.0  # chroma: sepia prints stay below, what is photographed in one colour does not
LARGEST_TINTED = 0.1  # share of pixels whose tint may be stronger


def is_in_color(pixels):
    """Whether a picture has colours of its own, so that colorizing it would replace them.

    A gray picture may be tinted: paper yellows, sepia and blue prints have a colour for each lightness, and JPEG and
    scanners add some noise. So the picture is reduced to about 128 x 128 pixels; these are sorted by lightness into 64
    groups, whose medians of a and of b are their tints. The picture is in colour if more than 1% of the pixels
    differ from their tint by a chroma of more than 10, or if more than 10% of them have a tint of more than 30.

    Args:
        pixels: uint8 or uint16 (H, W) gray, which is never in colour, or (H, W, 3) RGB.

    Returns:
        bool.

    Example:
        >>> is_in_color(skimage.data.astronaut()), is_in_color(skimage.data.camera())
        (True, False)
    """
    if pixels.ndim == 2:
        return False
    height, width = pixels.shape[:2]
    scale = min(1.0, LOOKED_AT / (height * width) ** 0.5)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    lab = srgb_to_lab(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)).reshape(-1, 3)
    ab = lab[np.argsort(lab[:, 0]), 1:]
    count = max(1, min(GROUPS, len(ab) // LEAST_GROUP))
    groups = ab[: len(ab) // count * count].reshape(count, -1, 2)  # a few of the lightest pixels may be left over
    tints = np.median(groups, axis=1, keepdims=True)
    differing = np.hypot(*np.moveaxis(groups - tints, -1, 0)) > TOLERANCE
    tinted = np.hypot(*np.moveaxis(tints, -1, 0)) > STRONGEST_TINT
    return bool(differing.mean() > LARGEST_SHARE or tinted.mean() > LARGEST_TINTED)
