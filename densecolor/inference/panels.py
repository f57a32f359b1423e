"""Pictures of pictures: gray beside colour, and what several models make of one."""

import math
import os
import pathlib

import numpy as np
from PIL import Image
from PIL import ImageDraw
from PIL import ImageFont

from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.image_io import shrink
from densecolor.image_io import to_8_bits

BAND_PIXELS = 1 << 16
CELL_SIDE = 1024  # pixels, the longer side of a picture in a grid of models
GAP = 8
BACKGROUND = 255
INK = (40, 40, 40)
LABEL_HEIGHT = 40
FONT_SIZE = 22


def gray_of(pixels):
    """What is left of a picture without its colours: the gray of the same lightness.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3).

    Returns:
        the same dtype, (H, W, 3).
    """
    if pixels.ndim == 2:
        return np.repeat(pixels[..., None], 3, axis=-1)
    gray = np.empty_like(pixels)
    rows = max(1, BAND_PIXELS // pixels.shape[1])
    for start in range(0, len(pixels), rows):
        lab = srgb_to_lab(pixels[start : start + rows])
        lab[..., 1:] = 0
        gray[start : start + rows] = lab_to_srgb(lab, pixels.dtype, in_gamut=True)
    return gray


def side_by_side(pixels, colored, alpha=None):
    """The gray picture and its colourings in a row, at full size and depth.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3), the input; its own colours are not shown.
        colored: list of (H, W, 3) of the same dtype.
        alpha: (H, W), or None.

    Returns:
        (rgb, alpha): (H, W * (1 + colourings), 3), and (H, the same) or None.
    """
    count = 1 + len(colored)
    return np.hstack([gray_of(pixels), *colored]), None if alpha is None else np.tile(alpha, (1, count))


def fit_cell(pixels):
    """A picture for a cell of a grid: 8 bits, the longer side at most `CELL_SIDE`.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3).

    Returns:
        uint8, (h, w) or (h, w, 3).
    """
    return to_8_bits(shrink(pixels, CELL_SIDE))


def grid(cells, labels):
    """Pictures of one size in a grid, as square as it gets, each with a label below it.

    Args:
        cells: list of uint8 (h, w, 3).
        labels: list of as many str.

    Returns:
        uint8 (H, W, 3).
    """
    height, width = cells[0].shape[:2]
    step_x, step_y = max(width, LABEL_HEIGHT) + GAP, height + LABEL_HEIGHT + GAP
    columns = min(len(cells), max(1, round(math.sqrt(len(cells) * step_y / step_x))))
    rows = math.ceil(len(cells) / columns)
    columns = math.ceil(len(cells) / rows)  # no empty column
    sheet = Image.new("RGB", (columns * step_x + GAP, rows * step_y + GAP), (BACKGROUND,) * 3)
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(FONT_SIZE)
    for number, (cell, label) in enumerate(zip(cells, labels, strict=True)):
        x, y = GAP + number % columns * step_x, GAP + number // columns * step_y
        sheet.paste(Image.fromarray(cell), (x, y))
        draw.text((x, y + height + GAP), _shortened(label, font, step_x - GAP), INK, font)
    return np.array(sheet)


def labels_of(models):
    """Short names that tell models apart: of run directories and files, with as much of the path as that takes.

    Args:
        models: list of str, path, Keras model, or None for the default one.

    Returns:
        list of as many str.

    Example:
        >>> labels_of(["runs/dense", "runs/unet/best.keras", "runs/unet/final.keras"])
        ['dense', 'unet/best', 'unet/final']
    """
    paths = [_parts_of(model) for model in models]
    for depth in range(1, 1 + max(map(len, paths))):
        labels = ["/".join(parts[-depth:]) for parts in paths]
        if len(set(labels)) == len(set(paths)):
            break
    return labels


def _parts_of(model):
    """The parts of a model's path, as a tuple; a run's files say little without the run."""
    if model is None:
        return ("default",)
    if not isinstance(model, str | os.PathLike):
        return (model.name,)
    parts = pathlib.PurePath(os.path.normpath(model)).parts
    parts = (*parts[:-1], parts[-1].removesuffix(".keras"))
    return (*parts[:-2], "/".join(parts[-2:])) if parts[-1] in ("best", "final") else parts


def _shortened(label, font, width):
    """As much of a label's end as fits."""
    shown = label
    while font.getlength(shown) > width and len(label) > 1:
        label = label[1:]
        shown = f"...{label}"
    return shown
