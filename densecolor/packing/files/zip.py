"""The files in a zip archive."""

import functools
import lzma
import struct
import zipfile
import zlib

from densecolor.errors import SourceError
from densecolor.packing.files.archive import ArchiveFiles
from densecolor.packing.files.archive import damaged
from densecolor.packing.files.names import MAX_BYTES
from densecolor.packing.files.names import TOO_LARGE

LOCAL_HEADER = struct.Struct("<4s22xHH")  # signature, lengths of the name and of the extra field that follow
ENCRYPTED = 1  # bit of a member's flags

# What zipfile and its decompressors raise for one damaged or unsupported file.
MEMBER_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, UnicodeDecodeError)


class ZipFiles(ArchiveFiles):
    """The files in a zip archive.

    A worker reads a stored or deflated file at its offset, without the archive's directory, which has a million lines
    for ImageNet; other methods go through `zipfile`.

    Raises:
        SourceError: on listing, the archive is damaged.
    """

    def _members(self):
        for info in self._open().infolist():
            if info.is_dir():
                continue
            too_large = max(info.file_size, info.compress_size) > MAX_BYTES
            place = (info.header_offset, info.compress_size, info.file_size, info.compress_type, info.CRC)
            if info.flag_bits & ENCRYPTED or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                place = info.filename
            yield info.filename, place, TOO_LARGE if too_large else None

    def read(self, place):
        """The bytes of one file, their checksum verified.

        Raises:
            OSError: it is damaged, encrypted or compressed in an unknown way.
        """
        if isinstance(place, str):
            try:
                return self._archive.read(place)
            except MEMBER_ERRORS:  # their messages name the file
                raise damaged("it cannot be decompressed") from None
            except RuntimeError:
                raise damaged("it is encrypted") from None
            except OSError as error:
                if error.errno is None:  # from the decompressor of bzip2
                    raise damaged("it cannot be decompressed") from None
                raise
        header, compressed_size, size, method, checksum = place
        signature, name_size, extra_size = LOCAL_HEADER.unpack(self._read_at(header, LOCAL_HEADER.size))
        if signature != b"PK\x03\x04":
            raise damaged("no file begins where the directory says")
        data = self._read_at(header + LOCAL_HEADER.size + name_size + extra_size, compressed_size)
        if method == zipfile.ZIP_DEFLATED:
            try:
                data = zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, size + 1)
            except zlib.error:
                raise damaged("it cannot be decompressed") from None
        if len(data) != size or zlib.crc32(data) != checksum:
            raise damaged("wrong checksum")
        return data

    @functools.cached_property
    def _archive(self):
        return self._open()

    def _open(self):
        try:
            return zipfile.ZipFile(self.path)
        except (zipfile.BadZipFile, NotImplementedError, UnicodeDecodeError) as error:
            raise SourceError(f"{self.path} is a damaged zip archive ({error}). Copy or download it again.") from error
