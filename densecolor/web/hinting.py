"""Colours asked for by clicking on a picture."""

import math
import pathlib
import re
import tempfile

from densecolor.errors import DensecolorError
from densecolor.errors import WebError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import decode_image
from densecolor.image_io import read_image
from densecolor.inference import read_hints
from densecolor.inference.panels import gray_of
from densecolor.inference.volumes import suffix_of
from densecolor.web.previews import write_gray_preview
from densecolor.web.previews import write_hint_preview
from densecolor.web.uploads import take_uploads

_RGB = re.compile(r"rgba?\(\s*([\d.]+)\s*,\s*([\d.]+)\s*,\s*([\d.]+)\s*(?:,\s*[\d.]+\s*)?\)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}")


def hint_lines(text):
    """The hints in a text, one a line, as `densecolor.inference.read_hints` takes them."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def hex_color(value):
    """A colour as browsers give it, as "#rrggbb".

    Raises:
        WebError: it is none.

    Example:
        >>> hex_color("rgba(255, 127.6, 0, 1)")
        '#ff8000'
    """
    if match := _RGB.fullmatch(value or ""):
        return "#" + "".join(f"{min(255, round(float(part))):02x}" for part in match.groups())
    if not _HEX.fullmatch(value or ""):
        raise WebError(f"{value!r} is no colour. Choose one in the field above the picture.")
    return value.lower()


def open_canvas(paths, folder, limits):
    """What people click on: the one picture that was dropped, without its colours.

    Args:
        paths: list of str, where the server has stored uploads, or None.
        folder: `pathlib.Path` of all jobs.
        limits: `Limits`.

    Returns:
        dict of `path`, str, of a preview, and `size`, [height, width] of the whole picture; None where there is no
        single picture, or none that can be read, which is said once it is to be colorized.
    """
    if not paths or len(paths) > 1 or suffix_of(pathlib.Path(paths[0])).lower() not in IMAGE_SUFFIXES:
        return None
    job = pathlib.Path(tempfile.mkdtemp(dir=folder))
    (job / "in").mkdir()
    try:
        (source,) = take_uploads(paths, job / "in", limits)
        pixels = decode_image(source.read_bytes(), source.name, limits.pixels).pixels
    except (DensecolorError, OSError):
        return None
    return {"path": write_gray_preview(job / "canvas.png", pixels), "size": list(pixels.shape[:2])}


def add_hint(text, canvas, at, color):
    """Add a hint to a text of them.

    Args:
        text: str, one a line.
        canvas: of `open_canvas`.
        at: (x, y), a pixel of the preview.
        color: str, as browsers give it.

    Returns:
        str.

    Raises:
        WebError: the colour is none.
    """
    height, width = canvas["size"]
    preview = read_image(canvas["path"]).pixels
    x = min(width - 1, max(0, math.floor((at[0] + 0.5) * width / preview.shape[1])))
    y = min(height - 1, max(0, math.floor((at[1] + 0.5) * height / preview.shape[0])))
    return "\n".join([*hint_lines(text), f"{x},{y},{hex_color(color)}"])


def draw_hints(text, canvas, folder):
    """The picture to click on with its hints; those that are malformed are left out, and said when colorizing.

    Args:
        text: str, one hint a line.
        canvas: of `open_canvas`.
        folder: `pathlib.Path` of all jobs.

    Returns:
        str, path of a picture.
    """
    points = []
    for line in hint_lines(text):
        try:
            points += read_hints([line]).points
        except DensecolorError:
            continue
    if not points:
        return canvas["path"]
    path = tempfile.mkdtemp(dir=folder)
    return write_hint_preview(f"{path}/canvas.png", gray_of(read_image(canvas["path"]).pixels), points, canvas["size"])
