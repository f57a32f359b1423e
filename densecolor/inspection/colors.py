"""Which colours a packed folder holds: the joint histogram of a and b, counted and drawn."""

import functools
from pathlib import Path

import cv2
import numpy as np

from densecolor.atomic import partial_path
from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.errors import ShardError
from densecolor.shards import open_dataset
from densecolor.shards import read_manifest

LIMIT = 1000  # pictures
LIGHTNESS_SHOWN = 70  # of the colours behind the histogram
DPI = 160
SMALL, NORMAL = 8, 10  # points


def ab_histogram(folder, limit=LIMIT, split=None):
    """Count the colours of a packed folder's pictures, evenly spread over its splits and shards.

    Args:
        folder: a folder that densecolor-pack made.
        limit: pictures that are read, at most.
        split: "train", "validation" or "test", for its pictures alone; None for all.

    Returns:
        int64 array (256, 256), pixels by a + 128 (rows) and b + 128 (columns).

    Raises:
        FileNotFoundError: there is no such folder.
        ShardError: it is no packed folder, holds no picture, or is damaged.

    Example:
        >>> histogram = ab_histogram("packed")
        >>> histogram[128, 128] / histogram.sum()  # the share of neutral gray
        0.041
    """
    manifest = read_manifest(folder)
    total = manifest.count(split)
    if not total:
        raise ShardError(f"{folder} holds no {split + ' ' if split else ''}pictures: no colours to count.")
    wanted = np.arange(min(limit, total)) * total // min(limit, total)
    counts, start = np.zeros(256 * 256, np.int64), 0
    for name in manifest.splits if split is None else [split]:
        packed = open_dataset(folder, name)
        for index in wanted[(wanted >= start) & (wanted < start + packed.count)] - start:
            number, place = packed.locate(index)
            ab = packed.read("ab", number, place).astype(np.int32) + 128
            counts += np.bincount((ab[..., 0] * 256 + ab[..., 1]).ravel(), minlength=256 * 256)
        start += packed.count
    return counts.reshape(256, 256)


def write_histogram(histogram, path):
    """Draw an ab histogram, the number of pixels as shades on a logarithmic scale, over the colours themselves.

    Args:
        histogram: as `ab_histogram` gives it.
        path: a .png file, written atomically, in place of an earlier one.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure

    figure = Figure((6.4, 5.4), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    gamut = _gamut()
    extent = (-128.5, 127.5, -128.5, 127.5)
    axes.imshow(_background(gamut), extent=extent, origin="lower", interpolation="nearest")
    share = np.ma.masked_equal(histogram.T / histogram.sum(), 0)
    shades = axes.imshow(share, extent=extent, origin="lower", interpolation="nearest", cmap="viridis", norm=LogNorm())
    place = np.arange(-128, 128)
    axes.contour(place, place, gamut, levels=[0.5], colors="black", linewidths=1)
    axes.set_xlabel("a (green to magenta)", fontsize=NORMAL)
    axes.set_ylabel("b (blue to yellow)", fontsize=NORMAL)
    axes.set_title("Colours of the packed pictures; outline: all that sRGB can show", fontsize=NORMAL)
    axes.tick_params(labelsize=SMALL)
    bar = figure.colorbar(shades, ax=axes, shrink=0.9)
    bar.set_label("share of the pixels", fontsize=NORMAL)
    bar.ax.tick_params(labelsize=SMALL)
    _save(figure, Path(path))


def _save(figure, path):
    partial = partial_path(path)
    try:
        figure.savefig(partial, dpi=DPI, format="png", metadata={"Software": "densecolor"})
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


@functools.cache
def _gamut():
    """The colours that sRGB has at any lightness: bool (256, 256) by b + 128 (rows) and a + 128 (columns)."""
    first, second = np.meshgrid(np.arange(256), np.arange(256))
    faces = [
        np.roll(np.stack([first, second, np.full_like(first, end)], axis=-1), axis, axis=-1)
        for axis in range(3)
        for end in (0, 255)
    ]
    ab = np.rint(srgb_to_lab(np.uint8(faces))[..., 1:]).astype(int) + 128
    gamut = np.zeros((256, 256), np.uint8)
    gamut[ab[..., 1], ab[..., 0]] = 1
    return cv2.morphologyEx(gamut, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)).astype(bool)


def _background(gamut):
    """Pale colours inside the gamut, white outside: uint8 (256, 256, 3) by b and a."""
    a, b = np.meshgrid(np.arange(-128, 128), np.arange(-128, 128))
    rgb = lab_to_srgb(np.stack([np.full_like(a, LIGHTNESS_SHOWN), a, b], axis=-1).astype(np.float32))
    return np.where(gamut[..., None], 255 - (255 - rgb) // 2, 255).astype(np.uint8)
