"""Embedded ICC profiles to sRGB, by Little CMS through Pillow.

OpenCV ignores profiles, and pictures in Adobe RGB, Display P3 or a scanner's or printer's space would keep the
wrong colours and the wrong lightness.
"""

import functools
import io

import cv2
import numpy as np
from PIL import Image
from PIL import ImageCms

BAND_VALUES = 1 << 24  # larger pictures are converted in bands of rows, since the steps in between need several copies
_COLOR_SPACES = {"GRAY": "L", "RGB": "RGB", "CMYK": "CMYK"}


def convert_to_srgb(pixels, profile):
    """Convert gray or RGB pixels from the space of their ICC profile to sRGB.

    Relative colorimetric, with black point compensation. A profile that is sRGB, that is damaged or that is for
    another kind of pixels (an RGB profile in a gray picture) changes nothing, as in browsers. Pillow drives Little CMS
    at 8 bits: 16-bit gray is interpolated between its 256 values; 16-bit RGB is moved by the change that it makes at
    their 8-bit value. So they keep their finer gradation, and are right to about one 8-bit step (three in the most
    saturated darks).

    Args:
        pixels: uint8 or uint16 (H, W) gray, or (H, W, 3) in R, G, B order.
        profile: bytes of the profile.

    Returns:
        array of the same shape and dtype, sRGB.
    """
    convert = _convert_gray if pixels.ndim == 2 else _convert_rgb
    if pixels.size <= BAND_VALUES:
        return convert(pixels, profile)
    converted = np.empty_like(pixels)
    rows = max(1, BAND_VALUES * len(pixels) // pixels.size)
    for start in range(0, len(pixels), rows):
        band = slice(start, start + rows)
        converted[band] = convert(pixels[band], profile)
    return converted


def _convert_gray(pixels, profile):
    table = _gray_table(profile)
    if table is None:
        return pixels
    if pixels.dtype == np.uint8:
        return cv2.LUT(pixels, table)
    every = np.interp(np.arange(65536) / 257, np.arange(256), table.astype(np.float64)) * 257
    return np.rint(every).astype(np.uint16)[pixels]


def _convert_rgb(pixels, profile):
    transform = _transform(profile, "RGB")
    if transform is None:
        return pixels
    if pixels.dtype == np.uint8:
        return _apply(transform, Image.fromarray(pixels))
    rough = np.rint(pixels / np.float32(257)).astype(np.uint8)
    change = _apply(transform, Image.fromarray(rough)).astype(np.int32) - rough
    return np.clip(pixels + change * 257, 0, 65535).astype(np.uint16)


def convert_cmyk_to_srgb(image, profile):
    """Convert a CMYK picture to sRGB, by its ICC profile or, without a usable one, by plain multiplication.

    Args:
        image: `PIL.Image.Image` of mode CMYK.
        profile: bytes of the profile, or empty.

    Returns:
        uint8 (H, W, 3), sRGB.
    """
    transform = _transform(profile, "CMYK") if profile else None
    if transform is None:
        return np.asarray(image.convert("RGB"))
    return _apply(transform, image)


def _apply(transform, image):
    return np.asarray(ImageCms.applyTransform(image, transform))


@functools.lru_cache(maxsize=64)
def _gray_table(profile):
    """What each gray value becomes, uint8 (256,), or None where there is nothing to do."""
    # Little CMS' own table for gray is off by up to 10 values in the darks.
    transform = _transform(profile, "L", ImageCms.Flags.NOOPTIMIZE)
    if transform is None:
        return None
    ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    return np.ascontiguousarray(_apply(transform, ramp)[0, :, 1])


@functools.lru_cache(maxsize=64)
def _transform(profile, mode, flags=ImageCms.Flags.NONE):
    """The transform from a profile to sRGB, or None where there is nothing to do (see `convert_to_srgb`)."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if _COLOR_SPACES.get(source.profile.xcolor_space.strip()) != mode:
            return None
        transform = ImageCms.buildTransform(
            source,
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION | flags,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None
    return None if mode == "RGB" and _changes_nothing(transform) else transform


def _changes_nothing(transform):
    """Whether a transform keeps a grid of RGB colours to one 8-bit step: then the profile is sRGB by any name."""
    levels = np.arange(0, 256, 15, np.uint8)
    grid = np.stack(np.meshgrid(levels, levels, levels), axis=-1).reshape(len(levels), -1, 3)
    change = _apply(transform, Image.fromarray(grid)).astype(int) - grid
    return np.abs(change).max() <= 1
