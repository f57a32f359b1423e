"""Find the layout of a source, by name or by what is in it, and list its pictures."""

import glob
import os
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.packing.files import PatternFiles
from densecolor.packing.files import open_files
from densecolor.packing.sources.base import Location
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.combined import combine
from densecolor.packing.sources.dicom import holds_dicom
from densecolor.packing.sources.dicom import is_dicom_file
from densecolor.packing.sources.dicom import list_dicom
from densecolor.packing.sources.folder import list_folder
from densecolor.packing.sources.globs import list_glob
from densecolor.packing.sources.imagenet import is_imagenet
from densecolor.packing.sources.imagenet import list_imagenet
from densecolor.packing.sources.list_file import list_file
from densecolor.packing.sources.nifti import holds_nifti
from densecolor.packing.sources.nifti import is_nifti_name
from densecolor.packing.sources.nifti import list_nifti
from densecolor.packing.sources.pairs import list_pairs
from densecolor.packing.sources.places import is_places
from densecolor.packing.sources.places import list_places
from densecolor.packing.sources.tiny_imagenet import is_tiny_imagenet
from densecolor.packing.sources.tiny_imagenet import list_tiny_imagenet

LAYOUTS = {
    "folder": list_folder,
    "list": list_file,
    "glob": list_glob,
    "tiny-imagenet": list_tiny_imagenet,
    "imagenet": list_imagenet,
    "places": list_places,
    "dicom": list_dicom,
    "nifti": list_nifti,
    "pairs": list_pairs,  # of two locations
}

# What `auto` looks for in a folder or archive, in this order, before it looks at the kinds of files.
RECOGNISED = {"tiny-imagenet": is_tiny_imagenet, "imagenet": is_imagenet, "places": is_places}

FOR_PATTERNS = ("glob", "dicom", "nifti", "pairs")  # the others are known by their folders

# Which layouts take which options.
OPTIONS = {
    "window": ("dicom", "nifti", "pairs"),
    "plane": ("nifti",),
    "max_pixels": ("dicom", "nifti", "pairs"),
}
WANTS_TWO = "Layout pairs wants two sources, the lightness first and then the colours."


def open_sources(paths, layout="auto", root=None, window=None, plane=None, max_pixels=DEFAULT_MAX_PIXELS):
    """List the pictures of several sources as one.

    Keys begin with the name of their source, and classes are matched by name; see `open_source` for each of them.
    Layout pairs wants two, the lightness first and then the colours, which become one source.

    Args:
        paths: list of paths, one or more.
        layout: of all of them.
        root, window, plane, max_pixels: as `open_source`.

    Returns:
        Source.

    Raises:
        SourceError: as `open_source`.
        DensecolorError: likewise.
    """
    options = {"window": window, "plane": plane, "max_pixels": max_pixels}
    if layout != "pairs":
        sources = [open_source(path, layout, root, **options) for path in paths]
        if window is not None and len({source.layout for source in sources}) > 1:
            raise SourceError("A window means one thing for DICOM and another for NIfTI. Pack them one by one.")
        return sources[0] if len(sources) == 1 else combine(sources, paths)
    if len(paths) != 2:
        raise SourceError(f"{WANTS_TWO} Received: {len(paths)}.")
    locations = [_locate(Path(path)) for path in paths]
    return _checked(list_pairs(*locations, **_options_for("pairs", options)), f"{paths[0]} and {paths[1]}", root)


def open_source(path, layout="auto", root=None, window=None, plane=None, max_pixels=DEFAULT_MAX_PIXELS):
    """List the pictures of a source.

    Args:
        path: a folder, a zip or tar archive, a list file, one picture, or a glob pattern.
        layout: a name in `LAYOUTS`, or "auto": Tiny ImageNet, ImageNet or Places where their own files are there;
            DICOM or NIfTI where there are such files, and then no others; otherwise folder for a folder or archive,
            glob for a pattern or a picture, and list for any other file.
        root: the folder that a list file's paths belong to; its own folder if None.
        window: for DICOM (centre, width), for NIfTI (lowest, highest); the files' own if None.
        plane: for NIfTI, "axial" (also if None), "coronal" or "sagittal" slices.
        max_pixels: larger DICOM and NIfTI pictures are rejected when they are packed.

    Returns:
        Source.

    Raises:
        SourceError: the source is missing, not what its layout says, or without pictures; or an option is not for it.
        DensecolorError: an option has no such value, or a package that the layout needs is not installed.

    Example:
        >>> open_source("photographs").class_names
        ['cat', 'dog']
    """
    if layout != "auto" and layout not in LAYOUTS:
        raise SourceError(f"Unknown layout={layout!r}. Choose from auto, {', '.join(LAYOUTS)}.")
    if layout == "pairs":
        raise SourceError(f"{WANTS_TWO} Received: {path} alone.")
    location = _locate(Path(path), root)
    if layout == "auto":
        layout = _recognise(location)
    elif isinstance(location.container, PatternFiles) and layout not in FOR_PATTERNS:
        raise SourceError(f"Layout {layout} is not for a pattern or a single file. Received: {path}.")
    options = {"window": window, "plane": plane, "max_pixels": max_pixels}
    return _checked(LAYOUTS[layout](location, **_options_for(layout, options)), path, root)


def _locate(path, root=None):
    if not path.exists() and not glob.has_magic(str(path)):
        raise SourceError(f"There is no source {path}.")
    is_one = path.is_file() and (is_image_name(path.name) or is_nifti_name(path.name) or is_dicom_file(path))
    return Location(path, PatternFiles(path) if is_one or not path.exists() else open_files(path), root)


def _recognise(location):
    files = location.container
    if files is None:
        return "list"
    is_pattern = isinstance(files, PatternFiles)
    if not is_pattern:
        for name, is_that in RECOGNISED.items():
            if is_that(files):
                return name
    pictures = "glob" if is_pattern else "folder"
    kinds = {"dicom": holds_dicom(files), "nifti": holds_nifti(files), pictures: any(map(is_image_name, files.names))}
    found = [name for name, is_there in kinds.items() if is_there]
    if len(found) > 1:  # one layout would leave the others' files out, or tell their names
        raise SourceError(f"{location.path} holds files for several layouts. Choose one of them: {', '.join(found)}.")
    return found[0] if found else pictures


def _options_for(layout, given):
    """Those options that a layout takes.

    Raises:
        SourceError: one is given that it does not take. (`max_pixels` is, for all, one of the packing.)
    """
    for name in ("window", "plane"):
        if given[name] is not None and layout not in OPTIONS[name]:
            raise SourceError(
                f"{name}={given[name]!r} is for layout {' and '.join(OPTIONS[name])} only. Received: layout {layout}."
            )
    return {name: value for name, value in given.items() if layout in OPTIONS[name] and value is not None}


def _checked(source, path, root):
    if root is not None and source.layout != "list":
        raise SourceError(f"root={os.fspath(root)!r} is for list files only; {path} has layout {source.layout}.")
    if not source.entries:
        raise SourceError(f"There are no images in {path} (layout {source.layout}).")
    return source
