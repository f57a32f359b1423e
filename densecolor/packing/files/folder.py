"""The files below a folder."""

import errno
import functools
import os
import stat

from densecolor.errors import SourceError
from densecolor.packing.files.names import MAX_BYTES
from densecolor.packing.files.names import TOO_LARGE
from densecolor.packing.files.names import is_hidden


class FolderFiles:
    """The files below a folder; links to folders are followed, but never round in a circle.

    Args:
        root: the folder.
        was_listed: whether names come from here, and so were there once.

    Raises:
        SourceError: on listing, the folder itself cannot be listed.
    """

    def __init__(self, root, was_listed=True):
        self.root = os.path.abspath(root)
        self.was_listed = was_listed

    def __reduce__(self):
        return FolderFiles, (self.root, self.was_listed)

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
            OSError: it cannot be read, is too large, or is a device or a pipe, which may never end.
        """
        path = os.path.join(self.root, place)
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        if status.st_size > MAX_BYTES:
            raise OSError(errno.EFBIG, TOO_LARGE)
        with open(path, "rb") as file:
            return file.read()

    def read_name(self, name):
        """The bytes of the file with this name."""
        return self.read(name)

    def is_there(self, place=""):
        """Whether the folder still exists, and the one inside it that a file was listed in.

        An empty folder is not there: it is the place where a file system was mounted.
        """
        folder = os.path.dirname(os.path.join(self.root, place)) if self.was_listed else self.root
        try:
            with os.scandir(folder) as items:
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
