"""The files below a folder."""

import functools
import os
from pathlib import Path

from densecolor.errors import SourceError
from densecolor.packing.files.names import is_hidden


class FolderFiles:
    """The files below a folder; links to folders are followed, but never round in a circle.

    Raises:
        SourceError: on listing, the folder itself cannot be listed.
    """

    def __init__(self, root):
        self.root = os.path.abspath(root)

    def __reduce__(self):
        return FolderFiles, (self.root,)

    @functools.cached_property
    def _listing(self):
        names, refused = [], []
        folders = [(self.root, "", ())]  # no recursion: folders may be nested deeper than Python's stack
        while folders:
            folder, prefix, ancestors = folders.pop()
            try:
                identity, items = _scan(folder)
            except OSError as error:
                if not prefix:
                    raise SourceError(f"{self.root} cannot be listed: {error.strerror}.") from None
                refused.append((prefix, f"cannot be listed: {error.strerror}"))
                continue
            if identity in ancestors:
                continue
            for item in items:
                name = prefix + item.name
                if _is_folder(item):
                    folders.append((item.path, f"{name}/", (*ancestors, identity)))
                elif item.is_symlink() or item.is_file():  # a broken link is an input too, and gets its reason
                    names.append(name)
        return sorted(names), sorted(refused)

    @property
    def names(self):
        """Sorted paths of all regular files and links below the folder, but for hidden ones."""
        return self._listing[0]

    @property
    def refused(self):
        """Folders that cannot be listed: list of (path with a "/" at its end, reason)."""
        return self._listing[1]

    def place(self, name):
        """Where a file is: its name."""
        return name

    def read(self, place):
        """The bytes of one file.

        Raises:
            OSError: it cannot be read.
        """
        return Path(self.root, place).read_bytes()

    def read_name(self, name):
        """The bytes of the file with this name."""
        return self.read(name)

    def is_there(self):
        """Whether the folder still exists, and is not the empty place where a file system was mounted."""
        try:
            with os.scandir(self.root) as items:
                return next(items, None) is not None
        except OSError:
            return False


def _scan(folder):
    """What tells a folder from others, and what is in it, but for hidden ones."""
    status = os.stat(folder)
    with os.scandir(folder) as items:
        return (status.st_dev, status.st_ino), [item for item in items if not is_hidden(item.name + "/")]


def _is_folder(item):
    try:
        return item.is_dir()
    except OSError:  # a link to itself
        return False
