"""Colours that people ask for: points, or a sketch on a transparent picture of the same size."""

import dataclasses
import hashlib
import os
import re

import numpy as np

from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import Picture
from densecolor.image_io import read_image

BAND_PIXELS = 1 << 20
_POINT = re.compile(r"\s*(-?\d{1,9})\s*,\s*(-?\d{1,9})\s*,\s*#([0-9a-fA-F]{6})\s*")


@dataclasses.dataclass(frozen=True, eq=False)
class Hints:
    """What colours to give to which pixels of a picture, as it is shown; lightness of the colours does not count.

    Attributes:
        points: tuple of (x, y, colour), x from the left and y from the top, from 0; the colour a tuple of R, G, B in
            [0, 255].
        sketch: `image_io.Picture` with alpha, whose opaque pixels are colours, or None.
        name: what errors call the sketch.
    """

    points: tuple = ()
    sketch: Picture | None = None
    name: str = "hints"

    def describe(self):
        """What tells these hints from others, as a dict that JSON can hold."""
        points = [f"{x},{y},#{r:02x}{g:02x}{b:02x}" for x, y, (r, g, b) in self.points]
        if self.sketch is None:
            return {"points": points}
        digest = hashlib.sha256(np.ascontiguousarray(self.sketch.pixels))
        digest.update(np.ascontiguousarray(self.sketch.alpha))
        return {"points": points, "sketch_sha256": digest.hexdigest()}

    def on_grid(self, height, width, grid_height, grid_width):
        """The hints of a picture brought to a smaller grid: the mean of those in a cell, points before the sketch.

        Args:
            height: int, of the picture.
            width: int, of the picture.
            grid_height: int.
            grid_width: int.

        Returns:
            (cells, ab): int (n,), places of the cells with hints in the flattened grid, in order; float32 (n, 2).

        Raises:
            ImageError: a point lies outside of the picture, or the sketch has another size.
        """
        counts = np.zeros(grid_height * grid_width)
        sums = np.zeros((grid_height * grid_width, 2))
        if self.sketch is not None:
            self._check_sketch(height, width)
            for y, x, ab in _opaque(self.sketch):
                _add(sums, counts, _cells(y, x, height, width, grid_height, grid_width), ab)
        if self.points:
            x, y, rgb = map(np.array, zip(*self.points, strict=True))
            outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
            if outside.any():
                first = np.flatnonzero(outside)[0]
                raise ImageError(
                    f"The hint at {x[first]},{y[first]} is outside of the picture of {width} x {height} pixels. "
                    f"Choose x from 0 to {width - 1} and y from 0 to {height - 1}."
                )
            cells = _cells(y, x, height, width, grid_height, grid_width)
            sums[cells] = counts[cells] = 0
            _add(sums, counts, cells, srgb_to_lab(rgb.astype(np.uint8))[:, 1:])
        cells = np.flatnonzero(counts)
        return cells, (sums[cells] / counts[cells, None]).astype(np.float32)

    def _check_sketch(self, height, width):
        size = self.sketch.pixels.shape[:2]
        if size != (height, width):
            raise ImageError(
                f"{self.name}: these hints are {size[1]} x {size[0]} pixels, the picture as it is shown is "
                f"{width} x {height}. Draw them on a layer over the picture itself."
            )


def read_hints(hints):
    """Make `Hints` of what people give.

    Args:
        hints: `Hints`; the path of a picture with transparency; texts "x,y,#rrggbb" in a list, which may hold such a
            `pathlib.Path` too; an array uint8 or uint16 (H, W, 4), R, G, B and alpha; or None.

    Returns:
        `Hints`, or None where there are none.

    Raises:
        DensecolorError: a text is malformed, or there are several pictures.
        ImageError: the picture is damaged, has no transparency, or no opaque pixel.
        OSError: it cannot be read.

    Example:
        >>> read_hints(["10,20,#3060c0"]).points
        ((10, 20, (48, 96, 192)),)
    """
    if hints is None or isinstance(hints, Hints):
        return hints
    if isinstance(hints, np.ndarray):
        return Hints(sketch=_checked(_of_array(hints), "`hints`"), name="`hints`")
    items = [os.fspath(hints)] if isinstance(hints, str | os.PathLike) else list(hints)
    is_point = [isinstance(item, str) and not isinstance(hints, str | os.PathLike) for item in items]
    paths = [item for item, point in zip(items, is_point, strict=True) if not point]
    if len(paths) > 1:
        raise DensecolorError(f"Only one picture of hints can be given. Received: {len(paths)}.")
    points = tuple(_point(item) for item, point in zip(items, is_point, strict=True) if point)
    if not paths:
        return Hints(points) if points else None
    return Hints(points, _checked(read_image(paths[0]), str(paths[0])), str(paths[0]))


def _point(text):
    match = _POINT.fullmatch(text)
    if match is None:
        raise DensecolorError(
            f"{text!r} is no hint. Write x,y,#rrggbb: a pixel, counted from the upper left from 0, and its colour, "
            "as in 120,40,#c04020."
        )
    return int(match[1]), int(match[2]), tuple(bytes.fromhex(match[3]))


def _of_array(array):
    if array.ndim != 3 or array.shape[2] != 4 or array.dtype not in (np.uint8, np.uint16):
        raise ImageError(
            "Hints in an array must be uint8 or uint16 (H, W, 4): R, G, B and alpha. "
            f"Received: dtype={array.dtype}, shape={array.shape}."
        )
    return Picture(array[..., :3], array[..., 3])


def _checked(picture, name):
    if picture.alpha is None:
        raise ImageError(
            f"{name}: this picture of hints has no transparency, so that every pixel would be one. Draw the colours on "
            "a transparent layer of their own, and save that as PNG."
        )
    if not _is_opaque(picture.alpha).any():
        raise ImageError(f"{name}: this picture of hints has no opaque pixel, so no colours. Draw some.")
    return picture


def _is_opaque(alpha):
    """At least half opaque, as the rim of a brush is not."""
    return alpha > np.iinfo(alpha.dtype).max // 2


def _opaque(sketch):
    """Yield y, x and ab of the opaque pixels, a band of rows at a time."""
    height, width = sketch.alpha.shape
    rows = max(1, BAND_PIXELS // width)
    for start in range(0, height, rows):
        opaque = _is_opaque(sketch.alpha[start : start + rows])
        y, x = np.nonzero(opaque)
        if not len(y):
            continue
        colors = sketch.pixels[start : start + rows][opaque]
        yield y + start, x, np.zeros((len(y), 2)) if colors.ndim == 1 else srgb_to_lab(colors)[:, 1:]


def _cells(y, x, height, width, grid_height, grid_width):
    return (y * grid_height // height) * grid_width + x * grid_width // width


def _add(sums, counts, cells, ab):
    counts += np.bincount(cells, minlength=len(counts))
    for channel in range(2):
        sums[:, channel] += np.bincount(cells, ab[:, channel], len(counts))
