"""Sources of pictures: one layout a file, found by name in `LAYOUTS`."""

import os
import zipfile
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import ZipFiles
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Location
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.combined import combine
from densecolor.packing.sources.folder import list_folder
from densecolor.packing.sources.list_file import list_file
from densecolor.packing.sources.tiny_imagenet import find_top
from densecolor.packing.sources.tiny_imagenet import list_tiny_imagenet

__all__ = ["LAYOUTS", "Entry", "Source", "open_source"]

LAYOUTS = {"folder": list_folder, "list": list_file, "tiny-imagenet": list_tiny_imagenet}


def open_sources(paths, layout="auto", root=None, window=None, plane="axial"):
    """List the pictures of several sources as one; see `open_source`.

    Args:
        paths: list of paths, one or more.
        layout: of all of them.
        root: as `open_source`.
        window: gray values, for medical layouts.
        plane: of slices, for layout nifti.

    Returns:
        Source.

    Raises:
        SourceError: as `open_source`.
    """
    sources = [open_source(path, layout, root) for path in paths]
    return sources[0] if len(sources) == 1 else combine(sources, paths)


def open_source(path, layout="auto", root=None):
    """List the pictures of a source.

    Args:
        path: a folder, a zip archive, or a list file.
        layout: a name in `LAYOUTS`, or "auto": Tiny ImageNet where a wnids.txt stands above all else,
            otherwise folder for a folder or zip archive and list for any other file.
        root: the folder that a list file's paths belong to; its own folder if None.

    Returns:
        Source.

    Raises:
        SourceError: the source is missing, not what its layout says, or without pictures.
    """
    path = Path(path)
    if not path.exists():
        raise SourceError(f"There is no source {path}.")
    location = Location(path, _open_container(path), root)
    if layout == "auto":
        layout = _recognise(location)
    if layout not in LAYOUTS:
        raise SourceError(f"Unknown layout={layout!r}. Choose from auto, {', '.join(LAYOUTS)}.")
    if root is not None and layout != "list":
        raise SourceError(f"root={os.fspath(root)!r} is for list files only; {path} has layout {layout}.")
    source = LAYOUTS[layout](location)
    if not source.entries:
        raise SourceError(f"There are no images in {path} (layout {layout}).")
    return source


def _open_container(path):
    if path.is_dir():
        return FolderFiles(path)
    return ZipFiles(path) if zipfile.is_zipfile(path) else None


def _recognise(location):
    if location.container is None:
        return "list"
    top = find_top(location.container)
    whole = top is not None and all(name.startswith(top) for name in location.container.names)
    return "tiny-imagenet" if whole else "folder"
