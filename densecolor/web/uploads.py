"""Uploaded files: nothing is done with one before it is known to be a picture of a size that we take."""

import os
import pathlib
import shutil

from densecolor.errors import WebError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import decode_image
from densecolor.inference.volumes import suffix_of
from densecolor.web.names import unique_names

SUFFIXES = tuple(sorted(IMAGE_SUFFIXES))


def take_uploads(paths, folder, limits):
    """Bring uploaded files into a folder of their own, under names that are safe and unique.

    Args:
        paths: list of str, where the server has stored them.
        folder: `pathlib.Path`, empty.
        limits: `Limits`.

    Returns:
        list of `pathlib.Path` in the folder.

    Raises:
        WebError: there are none, too many, or one is too large.
    """
    if not paths:
        raise WebError("There is no picture yet. Drop one on the page first.")
    if len(paths) > limits.files:
        raise WebError(f"{len(paths)} files are more than {limits.files} at a time. Drop fewer.")
    paths = [pathlib.Path(path) for path in paths]
    taken = []
    for path, name in zip(paths, unique_names(path.name for path in paths), strict=True):
        if path.stat().st_size > limits.file_bytes:
            raise WebError(f"{name} has more than {limits.megabytes} megabytes. Make it smaller.")
        target = folder / name
        try:
            os.link(path, target)
        except OSError:  # a file system without links
            shutil.copyfile(path, target)
        taken.append(target)
    return taken


def read_checked(path, limits):
    """Decode a picture if it is one, and no larger than we take.

    Args:
        path: `pathlib.Path` of `take_uploads`.
        limits: `Limits`.

    Returns:
        `image_io.Picture`.

    Raises:
        WebError: its name says something else, or it has too many pixels.
        ImageError: it is no picture, or damaged.
        OSError: it cannot be read.
    """
    if suffix_of(path).lower() not in SUFFIXES:
        raise WebError(f"{path.name}: files of this kind are not taken. Choose from {', '.join(SUFFIXES)}.")
    return decode_image(path.read_bytes(), path.name, limits.pixels)
