"""Layout `tiny-imagenet`: Tiny ImageNet as distributed, the zip itself or the folder unpacked from it."""

from densecolor.errors import SourceError
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources.base import SPLIT_FOLDERS
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.base import refused_images
from densecolor.packing.sources.synsets import human_names
from densecolor.shards.schema import UNLABELLED

CLASS_LIST = "wnids.txt"


def find_top(files):
    """The folder inside `files` that holds wnids.txt, as a prefix of names ("" for the top), or None."""
    tops = [name.removesuffix(CLASS_LIST) for name in files.names if name.split("/")[-1] == CLASS_LIST]
    return min(tops, key=len, default=None)


def is_tiny_imagenet(files):
    """Whether files are Tiny ImageNet and nothing else."""
    top = find_top(files)
    return top is not None and all(name.startswith(top) for name in files.names)


def list_tiny_imagenet(location):
    """List Tiny ImageNet.

    wnids.txt gives the order of the classes, words.txt their names, val/val_annotations.txt the labels of the
    validation pictures; the test pictures have none. Keys leave out the top folder of the zip, so that zip and
    unpacked folder give the same ones.

    Returns:
        Source.

    Raises:
        SourceError: wnids.txt is missing, or a picture belongs to a class that it does not name.
    """
    files = location.require_container("tiny-imagenet")
    top = find_top(files)
    if top is None:
        raise SourceError(f"{location.path} holds no {CLASS_LIST}, so it is not Tiny ImageNet. Try layout folder.")
    wnids = list(_read_table(files, top + CLASS_LIST))
    labels = {wnid: label for label, wnid in enumerate(wnids)}
    annotations = _read_table(files, f"{top}val/val_annotations.txt")
    entries = []
    for path in files.names:
        if path.startswith(top) and is_image_name(path):
            key = escape_undecodable(path.removeprefix(top))
            wnid = _class_of(key, annotations)
            if wnid is not None and wnid not in labels:
                raise SourceError(f"{key} belongs to class {wnid!r}, which {CLASS_LIST} does not name.")
            split = SPLIT_FOLDERS.get(key.partition("/")[0])
            entries.append(Entry(key, path, labels.get(wnid, UNLABELLED), split))
    class_names = human_names(wnids, _read_table(files, f"{top}words.txt"))
    return Source("tiny-imagenet", PictureReader(files), entries, class_names, refused=refused_images(files))


def _class_of(key, annotations):
    folders = key.split("/")
    if folders[0] == "train":
        return folders[1]
    return annotations.get(folders[-1]) if folders[0] == "val" else None


def _read_table(files, name):
    """The first two columns of a tab-separated file as a dict, in the order of its lines; empty without it."""
    if name not in files.names:
        return {}
    lines = files.read_name(name).decode("utf-8", "replace").splitlines()
    return {columns[0]: columns[1] for columns in ([*line.split("\t"), ""] for line in lines if line.strip())}
