"""Pictures as the page shows them: small, and in 8 bits."""

import cv2
import numpy as np

from densecolor.image_io import shrink
from densecolor.image_io import to_rgb8
from densecolor.image_io import write_image
from densecolor.inference.panels import gray_of

LONGEST_SIDE = 1600  # pixels
_MASK_COLOR = (230, 60, 160)
_MASK_SHARE = 0.6  # of that colour, where the mask is 1


def write_preview(path, pixels):
    """Write what the page shows of a picture.

    Args:
        path: `pathlib.Path`, ending in .png.
        pixels: uint8 or uint16, (H, W) or (H, W, 3), sRGB.

    Returns:
        str, the path.
    """
    write_image(path, to_rgb8(shrink(pixels, LONGEST_SIDE)))
    return str(path)


def write_gray_preview(path, pixels):
    """The same of a picture without its colours, as the model sees it."""
    write_image(path, gray_of(to_rgb8(shrink(pixels, LONGEST_SIDE))))
    return str(path)


def write_mask_preview(path, pixels, mask):
    """Write a gray picture with a mask over it, in a colour that gray pictures do not have.

    Args:
        path: `pathlib.Path`, ending in .png.
        pixels: uint8 or uint16, (H, W) or (H, W, 3), sRGB.
        mask: float32 (H, W) in [0, 1].

    Returns:
        str, the path.
    """
    gray = gray_of(to_rgb8(shrink(pixels, LONGEST_SIDE)))
    height, width = gray.shape[:2]
    share = _MASK_SHARE * cv2.resize(mask, (width, height), interpolation=cv2.INTER_AREA)[..., None]
    write_image(path, np.rint(gray * (1 - share) + np.float32(_MASK_COLOR) * share).astype(np.uint8))
    return str(path)


def write_hint_preview(path, pixels, points, size):
    """Write a picture with dots where people asked for colours.

    Args:
        path: `pathlib.Path`, ending in .png.
        pixels: uint8 (h, w, 3), a preview.
        points: list of (x, y, (R, G, B)) in pixels of the whole picture.
        size: (height, width) of the whole picture.

    Returns:
        str, the path.
    """
    height, width = pixels.shape[:2]
    radius = max(3, max(height, width) // 100)
    marked = pixels.copy()
    for x, y, color in points:
        at = int((x + 0.5) * width / size[1]), int((y + 0.5) * height / size[0])
        cv2.circle(marked, at, radius + 2, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(marked, at, radius, tuple(map(int, color)), -1, cv2.LINE_AA)
    write_image(path, marked, overwrite=True)
    return str(path)
