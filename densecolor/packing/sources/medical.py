"""What the medical layouts share: which files are theirs, and what is known of them before they are read."""

import contextlib
import io
import os
import posixpath
import re

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.sources.base import SPLIT_FOLDERS
from densecolor.packing.sources.base import Entry

NAME_CHARACTERS = 4  # of a frame's number in its key


@contextlib.contextmanager
def open_name(files, name):
    """Open one file for reading its beginning; a folder's is not read as a whole.

    Raises:
        OSError: it cannot be read.
    """
    if isinstance(files, FolderFiles):
        with open(os.path.join(files.root, name), "rb") as file:
            yield file
    else:
        yield io.BytesIO(files.read_name(name))


class FrameReader:
    """Reads the frames of files; the last file stays open, since its other frames come next.

    Subclasses say in `_load` how a file is opened.

    Args:
        files: where the bytes are; see `densecolor.packing.files`.
        max_pixels: larger frames are refused.
    """

    def __init__(self, files, max_pixels):
        self.files = files
        self.max_pixels = max_pixels
        self._last = (None, None)

    def locate(self, entry):
        """The place of one frame: its file's, and its number."""
        return self.files.place(entry.path), entry.frame or 0

    def is_there(self, place):
        """Whether the source still exists, and the folder that this file was in."""
        return self.files.is_there(place[0])

    def _open(self, place, key):
        last, opened = self._last
        if last != place:
            self._last = (None, None)  # never two in memory
            opened = self._load(self.files.read(place), key)
            self._last = (place, opened)
        return opened


def suffix_of(name):
    """A file's suffix in lower case, or "" where it is none but the last number of an identifier (1.2.840.10008)."""
    suffix = posixpath.splitext(name)[1].lower()
    return "" if re.fullmatch(r"\.\d*", suffix) else suffix


def splits_of(names, location):
    """Each file's split by its top folder, as `list_folder` does it.

    Returns:
        list of str or None.

    Raises:
        SourceError: files lie beside folders that are splits. Their names stay unsaid, since they may be patients'.
    """
    tops = [name.partition("/")[0].lower() if "/" in name else None for name in names]
    splits = {SPLIT_FOLDERS.get(top) for top in tops if top is not None}
    if not splits or None in splits or splits == {"train"}:
        return [None] * len(names)
    stray = tops.count(None)
    if stray:
        raise SourceError(
            f"Files in {location.path} lie beside folders that are splits. Move them into one, or away. "
            f"Received: {stray} such files."
        )
    return [SPLIT_FOLDERS[top] for top in tops]


def frame_entries(name, frames, split, group):
    """The entries of one file's frames.

    Args:
        name: the file.
        frames: how many it holds; a file with one is an entry by itself.
        split: of all of them, or None.
        group: what must not be divided, or "" for the file alone.

    Returns:
        list of Entry; the keys of several end in "#0000", "#0001" and so on.
    """
    key = escape_undecodable(name)
    group = group or key
    if frames == 1:
        return [Entry(key, name, split=split, group=group)]
    return [
        Entry(f"{key}#{frame:0{NAME_CHARACTERS}d}", name, split=split, frame=frame, group=group)
        for frame in range(frames)
    ]


def refused_files(files, is_ours):
    """What a folder or archive could not give, as `Source.refused` wants it: files of ours, and whole folders."""
    return [(escape_undecodable(name), reason) for name, reason in files.refused if name.endswith("/") or is_ours(name)]
