"""Layout `list`: a text file with `path label` or `path,label` on every line, as Places ships them."""

import os
import posixpath
import re
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.shards.schema import UNLABELLED

MAX_CLASSES = 1_000_000


def list_file(location):
    """List the pictures that a text file names, whatever their suffixes.

    Paths belong to the root folder, also those that begin with "/", as in Places365 (a root of "/" takes them as
    they are); without a root, to the folder of the list. They may hold spaces and commas: the label is what follows
    the last one. A label of -1 means unlabelled; classes are named by their numbers.

    Returns:
        Source.

    Raises:
        SourceError: the file is no text, there is no such root, or a line has no integer label; the message names
            the line.
    """
    path = location.path
    root = path.parent if location.root is None else location.root
    if location.container is not None:
        raise SourceError(f"Layout list wants a text file of `path label` lines. Received: {path}.")
    if not Path(root).is_dir():
        raise SourceError(f"There is no folder root={os.fspath(root)!r} for the paths in {path}.")
    data = path.read_bytes()
    if b"\0" in data:
        raise SourceError(f"{path} is neither a folder, a zip or tar archive nor a UTF-8 text of `path label` lines.")
    lines = data.decode("utf-8-sig", "surrogateescape").split("\n")
    entries = [_parse(path, number, line) for number, line in enumerate(lines, 1) if line.strip()]
    class_count = 1 + max((entry.label for entry in entries), default=UNLABELLED)
    return Source(
        "list",
        PictureReader(FolderFiles(root, was_listed=False)),
        entries,
        [str(label) for label in range(class_count)],
    )


def _parse(list_path, number, line):
    match = re.fullmatch(r"\s*(\S.*?)(?:\s+|\s*,\s*)(-?[0-9]{1,9})\s*", line)
    if match is None or not UNLABELLED <= int(match[2]) < MAX_CLASSES:
        raise SourceError(
            f"{list_path}, line {number}: expected `path label` with an integer label from -1 to "
            f"{MAX_CLASSES - 1}. Received: {escape_undecodable(line.strip())[:200]!r}."
        )
    path = posixpath.normpath(match[1].lstrip("/"))
    return Entry(escape_undecodable(path), path, int(match[2]))
