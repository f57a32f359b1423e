"""What every layout gives: the pictures of a source with their keys, labels and splits."""

import dataclasses
import os
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import ZipFiles
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
        path: Path of a folder, a zip archive or a list file.
        container: the files in it; None where it is a file of another kind.
        root: the folder that a list file's paths belong to, or None.
    """

    path: Path
    container: FolderFiles | ZipFiles | None
    root: str | os.PathLike | None

    def require_container(self, layout):
        """The files of a folder or zip archive.

        Raises:
            SourceError: the path is neither.
        """
        if self.container is None:
            raise SourceError(f"Layout {layout} wants a folder or a zip archive. Received: {self.path}.")
        return self.container


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One picture of a source.

    Attributes:
        key: its path inside the source, "/" between folders, valid UTF-8.
        path: what the source's files call it; differs from the key where bytes had to be escaped.
        label: class index, -1 where unlabelled.
        split: "train", "validation", "test", or None where the source does not say.
    """

    key: str
    path: str
    label: int = UNLABELLED
    split: str | None = None


@dataclasses.dataclass(frozen=True)
class Source:
    """A set of pictures, listed but not read.

    Attributes:
        layout: name of the layout.
        files: where the bytes are; picklable, the only part that worker processes need.
        entries: list of Entry.
        class_names: list of str, in label order; empty where the source has no classes.
    """

    layout: str
    files: FolderFiles | ZipFiles
    entries: list
    class_names: list

    def read(self, entry):
        """The bytes of one picture, as they are stored."""
        return self.files.read(entry.path)


def is_image_name(name):
    """Whether a file's suffix says that it is an image."""
    return name.lower().endswith(tuple(IMAGE_SUFFIXES))
