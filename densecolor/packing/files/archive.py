"""What zip and tar archives have in common: a list of members, and reading at known offsets."""

import errno
import functools
import os

from densecolor.packing.files.names import is_hidden
from densecolor.packing.files.names import leads_outside
from densecolor.packing.files.names import without_empty_parts

OUTSIDE = "its path leads out of the archive"
REPEATED = "duplicate key: a later file in the archive has the same name"


class ArchiveFiles:
    """The files in one archive. Subclasses say what is in it, with `_members`, and how a file is read.

    Args:
        path: of the archive.
    """

    def __init__(self, path):
        self.path = os.path.abspath(path)

    def __reduce__(self):
        return type(self), (self.path,)

    def _members(self):
        """Yield (name, place, reason): a reason why the file cannot be read, or None."""
        raise NotImplementedError

    @functools.cached_property
    def _listing(self):
        places, refused = {}, []
        for name, place, reason in self._members():
            if leads_outside(name):
                refused.append((name, OUTSIDE))
            elif is_hidden(name):
                continue
            elif reason is not None:
                refused.append((name, reason))
            else:
                name = without_empty_parts(name)
                if name in places:
                    refused.append((name, REPEATED))
                places[name] = place
        return places, refused

    @functools.cached_property
    def names(self):
        """Sorted paths of all files in the archive, but for hidden and refused ones."""
        return sorted(self._listing[0])

    @property
    def refused(self):
        """What is not to be read: list of (path, reason)."""
        return self._listing[1]

    def place(self, name):
        """Where a file is inside the archive."""
        return self._listing[0][name]

    def read_name(self, name):
        """The bytes of the file with this name."""
        return self.read(self.place(name))

    def is_there(self, place=None):
        """Whether the archive still exists; whatever the place."""
        return os.path.isfile(self.path)

    @functools.cached_property
    def _descriptor(self):
        return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def _read_at(self, offset, size):
        """Bytes of the archive; reading at an offset needs no lock between threads."""
        parts = []
        while size > 0:
            part = os.pread(self._descriptor, size, offset)
            if not part:
                raise damaged("it ends too early")
            parts.append(part)
            offset, size = offset + len(part), size - len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)


def damaged(reason):
    """The error of a file that is damaged inside its archive."""
    return OSError(errno.EIO, f"damaged in its archive ({reason})")
