"""Layout `folder`: a folder a class, or no classes; ImageNet's train/<wnid>/*.JPEG with its val and test."""

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources.base import SPLIT_FOLDERS
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.base import refused_images
from densecolor.shards.schema import UNLABELLED


def list_folder(location):
    """List the images of a folder or archive, at any depth; files of other suffixes and hidden ones are no inputs.

    The top folder names the class; images outside any folder are unlabelled. Where all top folders are called
    train, val, validation or test, they are the source's own splits and the classes are one level below. A
    train folder alone divides nothing, so its images have no split yet. An archive's images often lie in one
    common folder that bears the archive's name: it is left out, also of the keys, unless it is such a split.

    Returns:
        Source.

    Raises:
        SourceError: images lie beside the splits' folders, so that it is unclear what they belong to.
    """
    files = location.require_container("folder")
    paths = [name for name in files.names if is_image_name(name)]
    top = _common_top(paths) if not isinstance(files, FolderFiles) else ""
    inner_paths = [path.removeprefix(top) for path in paths]
    splits = _splits(location.path, inner_paths)
    depth = 0 if None in splits else 1  # folders above the class
    classes = [_folder_at(path, depth) for path in inner_paths]
    class_names = sorted({name for name in classes if name is not None})
    labels = {name: label for label, name in enumerate(class_names)} | {None: UNLABELLED}
    entries = [
        Entry(
            key=escape_undecodable(inner_path),
            path=path,
            label=labels[class_name],
            split=_split_of(inner_path) if depth and splits != {"train"} else None,
        )
        for path, inner_path, class_name in zip(paths, inner_paths, classes, strict=True)
    ]
    class_names = [escape_undecodable(name) for name in class_names]
    return Source("folder", PictureReader(files), entries, class_names, refused=refused_images(files))


def _common_top(paths):
    """The one top folder of all paths, as a prefix of them; "" where there is none, or where it is a split."""
    tops = {_folder_at(path, 0) for path in paths}
    top = tops.pop() if len(tops) == 1 else None
    return "" if top is None or top.lower() in SPLIT_FOLDERS else f"{top}/"


def _splits(source, paths):
    """The set of splits that the top folders stand for, None among them where one is no split's or there is none."""
    stray = [path for path in paths if "/" not in path]
    splits = {_split_of(path) for path in paths if "/" in path} or {None}
    if stray and None not in splits:
        raise SourceError(
            f"{escape_undecodable(stray[0])} in {source} lies beside folders that are splits. Move it into one of "
            "them, or away."
        )
    return splits


def _split_of(path):
    return SPLIT_FOLDERS.get(path.partition("/")[0].lower())


def _folder_at(path, depth):
    folders = path.split("/")[:-1]
    return folders[depth] if len(folders) > depth else None
