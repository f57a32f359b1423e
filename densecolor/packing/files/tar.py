"""The files in a tar archive, and in the tar archives inside it, as ImageNet has them."""

import io
import os
import tarfile

from densecolor.errors import SourceError
from densecolor.packing.files.archive import ArchiveFiles
from densecolor.packing.files.names import MAX_BYTES
from densecolor.packing.files.names import TOO_LARGE
from densecolor.packing.files.names import is_hidden

BLOCK = 512  # bytes; a tar is made of these, and two empty ones are its end
MAX_DEPTH = 8  # of tars inside one another


class TarFiles(ArchiveFiles):
    """The files in an uncompressed tar archive, read at their offsets.

    A tar inside it is a folder of its name: `n01440764.tar` holds `n01440764/n01440764_10026.JPEG`.

    Raises:
        SourceError: on listing, the archive is compressed, damaged, or ends too early.
    """

    def _members(self):
        yield from self._members_of(0, os.path.getsize(self.path), "")

    def read(self, place):
        """The bytes of one file.

        Raises:
            OSError: the archive ends before the file does.
        """
        return self._read_at(*place)

    def _members_of(self, start, size, prefix, depth=0):
        """List the archive in these bytes of the file."""
        count = 0
        archive = None
        try:
            with tarfile.open(fileobj=_Window(self, start, size), mode="r:") as archive:
                for member in archive:
                    if member.isreg() and member.offset_data + member.size > size:
                        raise tarfile.ReadError("it ends inside a file")
                    archive.members = []  # tarfile would keep them all
                    if not member.isdir():
                        yield from self._entries_of(member, start + member.offset_data, prefix, depth)
                        count += 1
            # Where a header is damaged or missing, tarfile stops as it does at the end mark, and says nothing.
            if archive.offset + BLOCK > size:
                raise tarfile.ReadError("the end mark is missing")
            if any(self._read_at(start + archive.offset, BLOCK)):
                raise tarfile.ReadError("no file begins there")
        except SourceError:  # of a tar inside; it is a ValueError too
            raise
        except (tarfile.TarError, ValueError, OSError) as error:
            name = f"{self.path} (a tar inside it)" if prefix else self.path  # its name might be a patient's
            position = start + (0 if archive is None else min(archive.offset, size))
            raise SourceError(
                f"{name} is damaged or truncated at byte {position}: {error}. {count} files "
                "before that are whole. Copy or download it again."
            ) from None

    def _entries_of(self, member, begin, prefix, depth):
        name = prefix + member.name
        if not member.isreg():
            yield name, None, "a link or device inside an archive"
        elif member.issparse():
            yield name, None, "a sparse file inside an archive"
        elif name.lower().endswith(".tar") and not is_hidden(name):
            if depth == MAX_DEPTH:
                raise SourceError(f"{self.path} holds tars in tars more than {MAX_DEPTH} deep. Unpack it first.")
            yield from self._members_of(begin, member.size, f"{name[: -len('.tar')]}/", depth + 1)
        else:
            yield name, (begin, member.size), TOO_LARGE if member.size > MAX_BYTES else None


class _Window(io.RawIOBase):
    """Some bytes of an archive as a file of their own."""

    def __init__(self, archive, start, size):
        super().__init__()
        self._archive = archive
        self._start = start
        self._size = size
        self._position = 0

    def readable(self):
        return True

    def seekable(self):
        return True

    def seek(self, offset, whence=os.SEEK_SET):
        self._position = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        return self._position

    def tell(self):
        return self._position

    def readinto(self, buffer):
        size = max(0, min(len(buffer), self._size - self._position))
        data = self._archive._read_at(self._start + self._position, size) if size else b""
        buffer[: len(data)] = data
        self._position += len(data)
        return len(data)
