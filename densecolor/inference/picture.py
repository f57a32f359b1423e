"""One picture, in memory."""

import os

import cv2
import numpy as np

from densecolor.checkpoint import load_model
from densecolor.checkpoint import shipped_path
from densecolor.color import denormalize_ab
from densecolor.color import gray_to_lightness
from densecolor.color import lab_to_srgb
from densecolor.color import normalize_lightness
from densecolor.color import srgb_to_lab
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import Picture

DEFAULT_WORKING_SIZE = 256
# Pictures are converted in bands of rows: a large one needs no float copies of itself, and a band stays in the
# processor's cache (12 MP: 1.6 s in bands of this size, 3.2 s in bands 16 times as large).
BAND_PIXELS = 1 << 16


def colorize(image, model=None, working_size=None):
    """Colorize a picture: its lightness is kept, its own colours, if any, are ignored.

    The model sees the picture reduced to about `working_size` squared pixels in its own proportions (never
    enlarged); the colours that it predicts are brought to full size bilinearly, and what sRGB cannot show is brought
    into its gamut at the same lightness and hue.

    Args:
        image: `image_io.Picture`, or array uint8 or uint16, sRGB: (H, W) gray, (H, W, 2) gray and alpha, (H, W, 3)
            RGB or (H, W, 4) RGB and alpha.
        model: Keras model that maps `lightness` to `ab`, or the path of a checkpoint or run directory (see
            `densecolor.load_model`); None: the default model, which comes with the package.
        working_size: int, side in pixels of a square as large as what the model sees; None takes the model's own.

    Returns:
        array of the same dtype, (H, W, 3) RGB, or (H, W, 4) with the alpha unchanged.

    Raises:
        ImageError: `image` is of another type or shape.
        CheckpointError: the model cannot be loaded, takes another input, or does not predict `ab`, or predicts NaN.
        DensecolorError: `working_size` is less than 1.

    Example:
        >>> color = densecolor.colorize(gray, model="runs/first")
    """
    if working_size is not None and working_size < 1:
        raise DensecolorError(f"`working_size` must be at least 1. Received: {working_size}.")
    pixels, alpha = _pixels_and_alpha(image)
    model = as_model(model)
    size = working_size or getattr(model, "working_size", DEFAULT_WORKING_SIZE)
    ab = _predict_ab(pixels, model, size)
    # Widened once for all bands; the rows that a band needs are interpolated from it.
    ab = cv2.resize(ab, (pixels.shape[1], ab.shape[0]), interpolation=cv2.INTER_LINEAR)
    rgb = np.empty((*pixels.shape[:2], 3), pixels.dtype)
    rows = max(1, BAND_PIXELS // pixels.shape[1])
    for start in range(0, len(pixels), rows):
        band = slice(start, min(start + rows, len(pixels)))
        lab = np.dstack([_lightness(pixels[band]), _rows_between(ab, band, len(pixels))])
        rgb[band] = lab_to_srgb(lab, pixels.dtype)
    return rgb if alpha is None else np.dstack([rgb, alpha])


def as_model(model, trust=False):
    """The model itself, or the one of a path (`trust` as in `densecolor.load_model`), or the default one for None."""
    if model is None:
        return load_model(shipped_path())
    return load_model(model, trust) if isinstance(model, str | os.PathLike) else model


def working_shape(height, width, working_size):
    """Height and width that the model sees: the picture's proportions, at most `working_size` squared pixels.

    Example:
        >>> working_shape(1080, 1920, 256), working_shape(100, 100, 256), working_shape(1, 100_000, 256)
        ((192, 341), (100, 100), (1, 65536))
    """
    area = working_size**2
    scale = min(1.0, (area / (height * width)) ** 0.5)
    small_height = min(max(1, round(height * scale)), area)
    small_width = min(max(1, round(width * scale)), area // small_height)
    return min(small_height, area // small_width), small_width


def _pixels_and_alpha(image):
    if isinstance(image, Picture):
        return image.pixels, image.alpha
    image = np.asarray(image)
    channels = image.shape[2] if image.ndim == 3 else 1
    well_shaped = image.ndim == 2 or channels in (2, 3, 4)
    if image.dtype not in (np.uint8, np.uint16) or not well_shaped or not image.size:
        raise ImageError(
            "`image` must be uint8 or uint16, (H, W) or (H, W, channels) with 2, 3 or 4 channels. "
            f"Received: dtype={image.dtype}, shape={image.shape}."
        )
    if image.ndim == 2:
        return image, None
    pixels = image[..., 0] if channels == 2 else image[..., :3]
    return np.ascontiguousarray(pixels), image[..., -1] if channels in (2, 4) else None


def _lightness(pixels):
    """L of gray or RGB pixels: float32 (H, W) in [0, 100]."""
    return gray_to_lightness(pixels) if pixels.ndim == 2 else srgb_to_lab(pixels)[..., 0]


def _predict_ab(pixels, model, working_size):
    """Predict a and b at the working resolution, float32 (h, w, 2)."""
    height, width = working_shape(*pixels.shape[:2], working_size)
    small = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    lightness = normalize_lightness(_lightness(small))[None, ..., None]
    try:
        outputs = model.predict_on_batch({"lightness": lightness})
    except (ValueError, TypeError, KeyError) as error:  # what Keras raises for inputs that a model does not take
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"Model {model.name!r} does not take 'lightness': {reason}") from error
    if not isinstance(outputs, dict) or "ab" not in outputs:
        raise CheckpointError(f"Model {model.name!r} is no colorizer: it does not return a dict with 'ab'.")
    ab = np.asarray(outputs["ab"][0], np.float32)
    if not np.isfinite(ab).all():
        raise CheckpointError(f"Model {model.name!r} predicts NaN or infinite colours; its training has diverged.")
    return denormalize_ab(ab)


def _rows_between(ab, band, height):
    """Rows `band` of `ab` enlarged to `height` rows, bilinearly, as cv2.resize would make them all at once."""
    positions = (np.arange(band.start, band.stop) + 0.5) * (len(ab) / height) - 0.5
    positions = np.clip(positions, 0, len(ab) - 1)
    upper = positions.astype(int)
    lower = np.minimum(upper + 1, len(ab) - 1)
    weight = (positions - upper).astype(np.float32)[:, None, None]
    return ab[upper] * (1 - weight) + ab[lower] * weight
