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
    pixels = _fill_square(pixels, image_size, fit, cv2.INTER_CUBIC)
    return pixels if pixels.ndim == 3 else cv2.cvtColor(pixels, cv2.COLOR_GRAY2RGB)


def reduction(width, height, image_size, fit="crop"):
    """How many times smaller a JPEG may be decoded, without a visible difference after fitting.

    The square cut out of it must begin and end between blocks of that size, and four of its pixels or more, along
    each side, must go into one of the fitted picture. That then differs from a full decoding's by no more than the
    rounding of a shard does: 53 dB PSNR on average over ImageNet photographs that were cut so that they qualify, 43 dB
    at the lowest.

    Returns:
        1, 2, 4 or 8.
    """
    sides = (min(width, height),) if fit == "crop" else (width, height)
    kept = max(sides) if fit == "pad" else min(sides)  # the side that decides how much is shrunk
    for factor in (8, 4, 2):
        aligned = width % factor == height % factor == (width - height) % (2 * factor) == 0
        if aligned and kept >= 4 * factor * image_size:
            return factor
    return 1


def fit_mask(mask, image_size, fit="crop"):
    """Fit a mask into a square, so that it lies over what `fit_picture` makes of its picture.

    Args:
        mask: uint8 array (H, W), of the picture's size.
        image_size: side of the square in pixels.
        fit: as for the picture; what "pad" adds is 0, background.

    Returns:
        uint8 array (image_size, image_size): averages where the mask shrinks, linear between its pixels where it grows.

    Example:
        >>> fit_mask(np.uint8([[0, 0, 255, 255], [0, 255, 0, 0]]), 2, "pad").tolist()
        [[64, 128], [0, 0]]
    """
    return _fill_square(_centre(mask) if fit == "crop" else mask, image_size, fit, cv2.INTER_LINEAR)


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


def _fill_square(pixels, image_size, fit, growing):
    if fit == "pad":
        return _scale_and_pad(pixels, image_size, growing)
    return _resize(pixels, image_size, image_size, growing)


def _scale_and_pad(pixels, image_size, growing):
    height, width = pixels.shape[:2]
    scale = image_size / max(height, width)
    scaled = _resize(pixels, max(1, round(height * scale)), max(1, round(width * scale)), growing)
    below, right = image_size - scaled.shape[0], image_size - scaled.shape[1]
    return cv2.copyMakeBorder(
        scaled, below // 2, below - below // 2, right // 2, right - right // 2, cv2.BORDER_CONSTANT, value=0
    )


def _resize(pixels, height, width, growing):
    """Average where a side shrinks, so that nothing aliases; interpolate by `growing` where it grows."""
    shrunk = (min(pixels.shape[1], width), min(pixels.shape[0], height))
    steps = [(shrunk, cv2.INTER_AREA), ((width, height), growing)]
    if width < pixels.shape[1] < 2 * width and height < pixels.shape[0] < 2 * height:
        # Twice the size, then averages of 2 x 2: the triangle filter to 47 dB, in half the time of INTER_AREA.
        steps = [((2 * width, 2 * height), cv2.INTER_LINEAR), ((width, height), cv2.INTER_AREA)]
    for size, interpolation in steps:
        if size != pixels.shape[1::-1]:
            pixels = cv2.resize(pixels, size, interpolation=interpolation)
    return pixels
