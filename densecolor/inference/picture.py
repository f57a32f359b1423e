"""One picture, in memory."""

import dataclasses
import functools
import os

import cv2
import numpy as np

from densecolor.checkpoint import load_model
from densecolor.checkpoint import shipped_path
from densecolor.color import GamutAccount
from densecolor.color import gray_to_lightness
from densecolor.color import lab_to_srgb_with_account
from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.errors import require_choice
from densecolor.image_io import Picture
from densecolor.inference.control import controlled
from densecolor.inference.hinted import GRID_SIZE
from densecolor.inference.hinted import HintedColor
from densecolor.inference.hints import read_hints
from densecolor.inference.prediction import predict_outputs
from densecolor.inference.tile_model import TileModel
from densecolor.inference.tiles import TiledPrediction
from densecolor.inference.tiles import measure_reach
from densecolor.inference.upsampling import UPSAMPLINGS
from densecolor.inference.upsampling import Upsampler

DEFAULT_WORKING_SIZE = 256
LONGEST_SIDE = 16  # times the working size: some layers need memory by the square of a side
# Pictures are converted in bands of rows: a large one needs no float copies of itself, and a band stays in the
# processor's cache (12 MP: 1.6 s in bands of this size, 3.2 s in bands 16 times as large).
BAND_PIXELS = 1 << 16


@dataclasses.dataclass(frozen=True, eq=False)
class Colorized:
    """A picture in colour.

    Attributes:
        rgb: (H, W, 3), of the picture's dtype.
        alpha: the picture's own, (H, W), or None.
        gamut: what it cost to bring the predicted colours into sRGB (`densecolor.color.GamutAccount`).
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    gamut: GamutAccount


def colorize(
    image,
    model=None,
    working_size=None,
    *,
    upsampling="guided",
    native=False,
    saturation=1.0,
    temperature=None,
    sample=None,
    hints=None,
):
    """Colorize a picture: its lightness is kept, its own colours, if any, are ignored.

    The model sees the picture reduced to about `working_size` squared pixels in its own proportions (never
    enlarged); the colours that it predicts are brought to full size along the picture's own edges, and what sRGB cannot
    show is brought into its gamut at the same lightness and hue.

    Args:
        image: `image_io.Picture`, or array uint8 or uint16, sRGB: (H, W) gray, (H, W, 2) gray and alpha, (H, W, 3)
            RGB or (H, W, 4) RGB and alpha.
        model: Keras model that maps `lightness` to `ab`, or the path of a checkpoint or run directory (see
            `densecolor.load_model`); None: the default model, which comes with the package.
        working_size: int, side in pixels of a square as large as what the model sees; None takes the model's own.
        upsampling: "guided" lets colour follow the edges of the full-size lightness, "bilinear" enlarges it plainly.
        native: bool, True predicts at the picture's full size instead, in tiles without seams. What the network draws
            from the whole picture it still draws from the reduced one. Slow, and worth it only for networks that were
            trained on details of large pictures.
        saturation: see `densecolor.inference.controlled`.
        temperature: likewise.
        sample: likewise.
        hints: colours that some pixels are to get, and what belongs to them with them: a list of "x,y,#rrggbb", the
            path or array of a picture of the same size whose opaque pixels are colours, or else what
            `densecolor.inference.read_hints` takes. Saturation does not change them.

    Returns:
        array of the same dtype, (H, W, 3) RGB, or (H, W, 4) with the alpha unchanged.

    Raises:
        ImageError: `image` is of another type or shape, or the hints do not fit it.
        CheckpointError: the model cannot be loaded, takes another input, or does not predict `ab`, or predicts NaN.
        DensecolorError: `working_size` is less than 1, `upsampling` is unknown, a hint is malformed, or see
            `controlled`.

    Example:
        >>> color = densecolor.colorize(gray, model="runs/first", hints=["120,40,#c04020"])
    """
    model = controlled(
        as_model(model),
        saturation=saturation,
        temperature=temperature,
        sample=sample,
        serve=TileModel if native else lambda model: model,
    )
    colored = colorize_with_account(image, model, working_size, upsampling=upsampling, native=native, hints=hints)
    return colored.rgb if colored.alpha is None else np.dstack([colored.rgb, colored.alpha])


def colorize_with_account(
    image,
    model=None,
    working_size=None,
    *,
    upsampling="guided",
    native=False,
    hints=None,
    in_place=False,
    progress=None,
):
    """Like `colorize`, with alpha apart and with an account of what the gamut cost.

    Args:
        image: see `colorize`.
        model: see `colorize`.
        working_size: see `colorize`.
        upsampling: see `colorize`.
        native: see `colorize`.
        hints: see `colorize`.
        in_place: bool, True lets an RGB picture's own array become the result, which saves one of its size. Gray
            pictures are left as they are.
        progress: function `(rows done, rows in all)`, or None.

    Returns:
        `Colorized`.

    Raises:
        ImageError, CheckpointError, DensecolorError: see `colorize`.

    Example:
        >>> colored = colorize_with_account(image_io.read_image("scan.tif"), model, in_place=True)
        >>> f"{colored.gamut.reduced_share:.1%} of the pixels lost chroma"
        '0.3% of the pixels lost chroma'
    """
    if working_size is not None and working_size < 1:
        raise DensecolorError(f"`working_size` must be at least 1. Received: {working_size}.")
    require_choice("upsampling", upsampling, UPSAMPLINGS)
    pixels, alpha = _pixels_and_alpha(image)
    model = as_model(model)
    height, width = pixels.shape[:2]
    size = working_size or working_size_of(model)
    hinted = _hinted(pixels, read_hints(hints), upsampling)
    color = _native_color(pixels, model, size) if native else _enlarged_color(pixels, model, size, upsampling)
    if hinted is not None:
        color = functools.partial(_hinted_color, color, hinted)
    reuse = in_place and pixels.ndim == 3 and pixels.flags.writeable
    rgb = pixels if reuse else np.empty((height, width, 3), pixels.dtype)
    return Colorized(rgb, alpha, apply_color(pixels, color, rgb, progress))


def apply_color(pixels, color, rgb, progress=None):
    """Join a picture's lightness with colours, a band of rows at a time.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3).
        color: function (start, stop, L of these rows) that gives their ab, float32 (stop - start, W, 2).
        rgb: (H, W, 3) of the same dtype, which is written into; it may be `pixels`.
        progress: function `(rows done, rows in all)`, or None.

    Returns:
        `densecolor.color.GamutAccount`.
    """
    height, width = pixels.shape[:2]
    gamut = GamutAccount()
    rows = max(1, BAND_PIXELS // width)
    for start in range(0, height, rows):
        stop = min(start + rows, height)
        lightness = _lightness(pixels[start:stop])
        lab = np.dstack([lightness, color(start, stop, lightness)])
        rgb[start:stop], cost = lab_to_srgb_with_account(lab, pixels.dtype)
        gamut += cost
        if progress is not None:
            progress(stop, height)
    return gamut


def _enlarged_color(pixels, model, working_size, upsampling):
    """A function (start, stop, L of these rows) that gives their ab: predicted small, and enlarged."""
    small = reduced_lightness(pixels, working_size)
    ab = predict_outputs(small, model)["ab"]
    return Upsampler(ab, small, *pixels.shape[:2], upsampling).rows


def _hinted(pixels, hints, upsampling):
    """`HintedColor`, or None without hints."""
    if hints is None:
        return None
    return HintedColor(hints, reduced_lightness(pixels, GRID_SIZE), *pixels.shape[:2], upsampling)


def _hinted_color(color, hinted, start, stop, lightness):
    return hinted.blend(color(start, stop, lightness), start, stop, lightness)


def _native_color(pixels, model, working_size):
    """Such a function: predicted at full size, in tiles."""
    model = model if hasattr(model, "vectors_of") else TileModel(model)
    vectors = model.vectors_of(predict_outputs(reduced_lightness(pixels, working_size), model))

    def predict(lightness):
        return predict_outputs(lightness, model, vectors)["ab"]

    if model.reach is None:
        model.reach = measure_reach(predict)
    tiles = TiledPrediction(
        predict, lambda start, stop: _lightness(pixels[start:stop]), *pixels.shape[:2], reach=model.reach
    )
    return lambda start, stop, lightness: tiles.rows(start, stop)


def as_model(model, trust=False):
    """The model itself, or the one of a path (`trust` as in `densecolor.load_model`), or the default one for None."""
    if model is None:
        return load_model(shipped_path())
    return load_model(model, trust) if isinstance(model, str | os.PathLike) else model


def working_size_of(model):
    """Side in pixels of a square as large as what the model works best on; 256 where it does not say."""
    return getattr(model, "working_size", DEFAULT_WORKING_SIZE)


def working_shape(height, width, working_size):
    """Height and width that the model sees: the picture's proportions, at most `working_size` squared pixels.

    Nor is a side longer than 16 times `working_size`, which only lines and narrow strips would have.

    Example:
        >>> working_shape(1080, 1920, 256), working_shape(100, 100, 256), working_shape(1, 100_000, 256)
        ((192, 341), (100, 100), (1, 4096))
    """
    area, longest = working_size**2, LONGEST_SIDE * working_size
    scale = min(1.0, (area / (height * width)) ** 0.5, longest / max(height, width))
    small_height = min(max(1, round(height * scale)), longest)
    small_width = min(max(1, round(width * scale)), longest, area // min(small_height, area))
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


def reduced_lightness(pixels, working_size):
    """L of a picture at the size that a model sees.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3), sRGB.
        working_size: see `colorize`.

    Returns:
        float32 (h, w) in [0, 100]; h and w are those of `working_shape`.
    """
    height, width = working_shape(*pixels.shape[:2], working_size)
    return _lightness(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
