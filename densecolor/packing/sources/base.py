"""What every layout gives: the pictures of a source with their keys, labels and splits."""

import dataclasses
import os
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.packing.files import escape_undecodable
from densecolor.shards.schema import UNLABELLED

# The top folders by which a source says what its own splits are.
SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
    "testing": "test",
}


@dataclasses.dataclass(frozen=True)
class Location:
    """Where a source is, for a layout to list.

    Attributes:
        path: Path of a folder, an archive or a list file.
        container: the files in it; None where it is a file of another kind.
        root: the folder that a list file's paths belong to, or None.
    """

    path: Path
    container: object | None
    root: str | os.PathLike | None

    def require_container(self, layout):
        """The files of a folder or archive.

        Raises:
            SourceError: the path is neither.
        """
        if self.container is None:
            raise SourceError(f"Layout {layout} wants a folder, a zip or a tar archive. Received: {self.path}.")
        return self.container


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One picture of a source.

    Attributes:
        key: its path inside the source, "/" between folders, valid UTF-8.
        path: what the source's files call it; differs from the key where bytes had to be escaped.
        label: class index, -1 where unlabelled.
        split: "train", "validation", "test", or None where the source does not say.
        frame: which picture of a file that holds several; None where it holds one.
        group: what must not be divided between splits, as one patient's pictures; None for a picture by itself.
        source: the number of its source, where several are packed together.
    """

    key: str
    path: str
    label: int = UNLABELLED
    split: str | None = None
    frame: int | None = None
    group: str | None = None
    source: int = 0


@dataclasses.dataclass(frozen=True)
class Source:
    """A set of pictures, listed but not read.

    Attributes:
        layout: name of the layout.
        reader: decodes the pictures; picklable, the only part that worker processes need.
        entries: list of Entry.
        class_names: list of str, in label order; empty where the source has no classes.
        is_private: whether paths may identify patients, so that they must not reach the packed folder.
        refused: inputs that no worker is to see, as (key, reason): a path that leads out of its archive.
    """

    layout: str
    reader: object
    entries: list
    class_names: list
    is_private: bool = False
    refused: list = dataclasses.field(default_factory=list)

    def read(self, entry):
        """Decode one picture: a `densecolor.packing.readers.Sample`."""
        return self.reader.read(self.reader.locate(entry), entry.key)


def refused_images(files):
    """What a folder or archive could not give, as `Source.refused` wants it: pictures, and whole folders."""
    return [
        (escape_undecodable(name), reason)
        for name, reason in files.refused
        if name.endswith("/") or is_image_name(name)
    ]


def is_image_name(name):
    """Whether a file's suffix says that it is an image."""
    return name.lower().endswith(tuple(IMAGE_SUFFIXES))
