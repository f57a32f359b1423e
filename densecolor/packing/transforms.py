"""From a decoded picture of any size to the square that a shard holds."""

import cv2
import numpy as np

FITS = ("crop", "pad", "stretch")

# Grayscale: fewer than this share of the pixels have more than this chroma. JPEG noise and the tint of a scan stay
# below 4 on photographs looked at. Of 800 ImageNet photographs at 256 x 256, 21 have no such pixel and each of the
# others has 5% of them or more; of 10,100 Tiny ImageNet pictures 208 have fewer than 0.1% of them and all look gray,
# 13 have 0.1 to 1% (neutral objects on white, for the most part), and from 1% on brown insects and lamps come in.
GRAY_CHROMA = 4.0
GRAY_SHARE = 0.01


def fit_picture(picture, image_size, fit="crop"):
    """Fit a picture into a square; transparent pixels are seen on white, as on paper or most pages.

    Args:
        picture: `densecolor.image_io.Picture`.
        image_size: side of the square in pixels.
        fit: "crop" scales the shorter side to the square and keeps the centre; "pad" scales the longer side and
            adds black bars; "stretch" scales both sides.

    Returns:
        array (image_size, image_size, 3) of the picture's own type, uint8 or uint16, sRGB.
    """
    pixels, alpha = picture.pixels, picture.alpha
    if fit == "crop":  # cropping first leaves less to scale
        pixels, alpha = _centre(pixels), alpha if alpha is None else _centre(alpha)
    if alpha is not None:
        pixels = _on_white(pixels, alpha)
    if fit == "pad":
        pixels = _scale_and_pad(pixels, image_size)
    else:
        pixels = _resize(pixels, image_size, image_size)
    return pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)


def is_grayscale(a, b):
    """Whether a picture has no colour to learn from.

    Args:
        a, b: float arrays (H, W), of CIE Lab.

    Returns:
        bool.
    """
    return np.count_nonzero(a * a + b * b > GRAY_CHROMA**2) < GRAY_SHARE * a.size


def _centre(pixels):
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[top : top + side, left : left + side]


def _on_white(pixels, alpha):
    white = np.float32(np.iinfo(pixels.dtype).max)
    opacity = alpha / white if pixels.ndim == 2 else alpha[..., None] / white
    return np.rint(white - (white - pixels) * opacity).astype(pixels.dtype)


def _scale_and_pad(pixels, image_size):
    height, width = pixels.shape[:2]
    scale = image_size / max(height, width)
    scaled = _resize(pixels, max(1, round(height * scale)), max(1, round(width * scale)))
    below, right = image_size - scaled.shape[0], image_size - scaled.shape[1]
    return cv2.copyMakeBorder(
        scaled, below // 2, below - below // 2, right // 2, right - right // 2, cv2.BORDER_CONSTANT, value=0
    )


def _resize(pixels, height, width):
    """Average where a side shrinks, so that nothing aliases; interpolate where it grows."""
    shrunk = (min(pixels.shape[1], width), min(pixels.shape[0], height))
    for size, interpolation in ((shrunk, cv2.INTER_AREA), ((width, height), cv2.INTER_CUBIC)):
        if size != pixels.shape[1::-1]:
            pixels = cv2.resize(pixels, size, interpolation=interpolation)
    return pixels
