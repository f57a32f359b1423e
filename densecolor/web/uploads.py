"""Uploaded files: nothing is done with one before it is known to be a picture of a size that we take."""

import contextlib
import os
import pathlib
import shutil

from densecolor.errors import WebError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import decode_image
from densecolor.image_io.dicom import read_dicom_header
from densecolor.image_io.tiff_stack import count_tiff_pages
from densecolor.inference.volumes import VOLUME_SUFFIXES
from densecolor.inference.volumes import is_dicom_file
from densecolor.inference.volumes import is_dicom_name
from densecolor.inference.volumes import is_nifti_name
from densecolor.inference.volumes import open_volume_file
from densecolor.inference.volumes import suffix_of
from densecolor.inference.volumes import values_of
from densecolor.web.names import unique_names

SUFFIXES = (*sorted(IMAGE_SUFFIXES), *VOLUME_SUFFIXES)


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


def read_checked(path, limits, reading):
    """Decode a file's picture if it is one and no larger than we take; of a volume, the one in its middle.

    Args:
        path: `pathlib.Path` of `take_uploads`.
        limits: `Limits`.
        reading: `densecolor.inference.volumes.Reading`.

    Returns:
        (`image_io.Picture`, bool): the picture, and whether its file holds a volume.

    Raises:
        WebError: it is of another kind, or has too many pixels.
        ImageError: it is damaged.
        DensecolorError: the extra for medical files is missing.
        OSError: it cannot be read.
    """
    if is_nifti_name(path):
        _check_pixels(path, values_of(path), limits)
        return _middle(path, path, reading), True
    if is_dicom_file(path) or is_dicom_name(path):
        with open(path, "rb") as file:
            header = read_dicom_header(file, path.name)
        _check_pixels(path, header.frames * header.rows * header.columns, limits)
        return _middle(path, path.with_name(f"{path.name}.dcm"), reading), True
    if suffix_of(path).lower() not in IMAGE_SUFFIXES:
        raise WebError(f"{path.name}: files of this kind are not taken. Choose from {', '.join(SUFFIXES)}.")
    picture = decode_image(path.read_bytes(), path.name, limits.pixels)
    pages = count_tiff_pages(path)
    _check_pixels(path, pages * picture.pixels.shape[0] * picture.pixels.shape[1], limits)
    stack = _middle(path, path, reading)
    return stack or picture, stack is not None


def _check_pixels(path, pixels, limits):
    if pixels > limits.pixels:
        raise WebError(
            f"{path.name} has {pixels:,} pixels, and {limits.megapixels} million are taken at most. Make it smaller."
        )


def _middle(path, target, reading):
    """The picture in the middle of a volume, or None where the file holds none."""
    volume = open_volume_file(path, target, reading)
    if volume is None:
        return None
    with contextlib.closing(volume):
        return volume.picture(volume.count // 2)
