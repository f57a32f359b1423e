"""Layout `folder`: a folder a class, or no classes; ImageNet's train/<wnid>/*.JPEG with its val and test."""

from densecolor.packing.files import escape_undecodable
from densecolor.packing.sources.base import SPLIT_FOLDERS
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.shards.schema import UNLABELLED


def list_folder(location):
    """List the images of a folder or archive, at any depth; files of other suffixes are no inputs.

    The top folder names the class; images outside any folder are unlabelled. Where all top folders are called
    train, val, validation or test, they are the source's own splits and the classes are one level below. A
    train folder alone divides nothing, so its images have no split yet.

    Returns:
        Source.
    """
    files = location.require_container("folder")
    paths = [name for name in files.names if is_image_name(name)]
    splits = {SPLIT_FOLDERS.get(path.partition("/")[0].lower() if "/" in path else None) for path in paths}
    depth = 0 if None in splits else 1  # folders above the class
    classes = [_folder_at(path, depth) for path in paths]
    class_names = sorted({name for name in classes if name is not None})
    labels = {name: label for label, name in enumerate(class_names)} | {None: UNLABELLED}
    entries = [
        Entry(
            key=escape_undecodable(path),
            path=path,
            label=labels[class_name],
            split=SPLIT_FOLDERS[path.partition("/")[0].lower()] if depth and splits != {"train"} else None,
        )
        for path, class_name in zip(paths, classes, strict=True)
    ]
    return Source("folder", files, entries, [escape_undecodable(name) for name in class_names])


def _folder_at(path, depth):
    folders = path.split("/")[:-1]
    return folders[depth] if len(folders) > depth else None
