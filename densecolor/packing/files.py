"""Where a source's bytes come from: a folder, or a zip archive that is read without unpacking it.

Both classes have `names`, a sorted list of paths with "/" separators, and `read(name)`, which raises OSError whatever
goes wrong with one file. Hidden files and folders (".git", "._cat.jpg") and macOS's __MACOSX are not among the names.
Both are sent to worker processes without the list and without open handles.
"""

import functools
import lzma
import os
import re
import zipfile
import zlib
from pathlib import Path

from densecolor.errors import SourceError

HIDDEN = re.compile(r"(^|/)(\.[^/]|__MACOSX/)")


class FolderFiles:
    """The files below a folder; links to folders are followed, but never round in a circle."""

    def __init__(self, root):
        self.root = os.path.abspath(root)

    def __reduce__(self):
        return FolderFiles, (self.root,)

    @functools.cached_property
    def names(self):
        """Sorted paths of all regular files and links below the folder, but for hidden ones."""
        return sorted(_walk(self.root, "", ()))

    def place(self, name):
        """What `read` finds a file by."""
        return name

    def is_there(self):
        """Whether the folder or archive still exists."""
        return os.path.exists(getattr(self, "root", None) or self.path)

    def read(self, name):
        """The bytes of one file."""
        return Path(self.root, name).read_bytes()


def _walk(folder, prefix, ancestors):
    status = os.stat(folder)
    identity = (status.st_dev, status.st_ino)
    if identity in ancestors:
        return
    with os.scandir(folder) as items:
        for item in items:
            name = prefix + item.name
            if HIDDEN.match(item.name + "/"):
                continue
            if item.is_dir():
                yield from _walk(item.path, f"{name}/", (*ancestors, identity))
            elif item.is_file() or item.is_symlink():  # a broken link is an input too, and gets its reason
                yield name


# What zipfile and its decompressors raise for one damaged, encrypted or unsupported file.
MEMBER_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError, UnicodeDecodeError)


class ZipFiles:
    """The files in a zip archive; every process opens the archive for itself when it first reads."""

    def __init__(self, path):
        self.path = os.path.abspath(path)

    def __reduce__(self):
        return ZipFiles, (self.path,)

    @functools.cached_property
    def _archive(self):
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            raise SourceError(f"{self.path} is a damaged zip archive ({error}). Copy or download it again.") from error

    @functools.cached_property
    def names(self):
        """Sorted paths of all files in the archive, but for hidden ones."""
        names = (info.filename for info in self._archive.infolist() if not info.is_dir())
        return sorted(name for name in names if not HIDDEN.search(name))

    def place(self, name):
        """What `read` finds a file by."""
        return name

    def is_there(self):
        """Whether the folder or archive still exists."""
        return os.path.exists(getattr(self, "root", None) or self.path)

    def read(self, name):
        """The bytes of one file, their checksum verified."""
        try:
            return self._archive.read(name)
        except MEMBER_ERRORS as error:
            raise OSError(f"{name} cannot be read from {self.path}: {error or 'it ends too early'}") from error


def escape_undecodable(path):
    r"""A path as valid UTF-8: bytes that are not (lone surrogates in Python) become %XX.

    Example:
        >>> escape_undecodable("caf\udce9.jpg")
        'caf%E9.jpg'
    """
    return re.sub("[\udc80-\udcff]", lambda match: f"%{ord(match[0]) & 0xFF:02X}", path)
