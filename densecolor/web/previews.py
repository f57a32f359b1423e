"""Pictures as the page shows them: small, and in 8 bits."""

from densecolor.image_io import shrink
from densecolor.image_io import to_rgb8
from densecolor.image_io import write_image
from densecolor.inference.panels import gray_of

LONGEST_SIDE = 1600  # pixels


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
