"""What a file says about itself before it is decoded: size, channels, orientation, ICC profile, completeness.

Decoding is the slowest step of packing, so that everything that can be known from the bytes is taken from them.
"""

import dataclasses
import io
import struct
import warnings
import zlib

from PIL import Image
from PIL import TiffImagePlugin

JPEG_SIGNATURE = b"\xff\xd8\xff"
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
BIG_TIFF_SIGNATURE = b"II+\0"  # Pillow does not read its big-endian sister
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", BIG_TIFF_SIGNATURE)

# Start-of-frame markers, less those of the same range that define tables (DHT, JPG, DAC).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_ORIENTATION = 274  # EXIF and TIFF tag
_SUBFILE_TYPE = 254
_COPY_OR_MASK = 1 | 4
_MAX_PROFILE_BYTES = 1 << 24  # real ones stay under 3 MB; a compressed bomb does not


class BrokenImage(ValueError):  # noqa: N818 - the reason in words; decode_image adds the file's name
    """Why the bytes are no picture that can be shown."""


@dataclasses.dataclass(frozen=True)
class Header:
    """A picture's description.

    Attributes:
        width: pixels, as stored (before orientation).
        height: likewise.
        channels: 1 gray, 2 gray and alpha, 3 colour, 4 colour and alpha, or CMYK in a JPEG.
        orientation: EXIF orientation, 1 (upright) to 8.
        icc_profile: the embedded profile, or empty.
        transparent_gray: the one gray value that a PNG declares transparent, scaled to the pixels' range, or None.
    """

    width: int
    height: int
    channels: int
    orientation: int = 1
    icc_profile: bytes = b""
    transparent_gray: int | None = None


def read_jpeg_header(data):
    """Read the segments of a JPEG up to its first scan.

    Raises:
        BrokenImage: no frame or no scan, or the end-of-image marker is missing after it. (The markers of an EXIF
            thumbnail lie inside a segment and are not mistaken for the picture's.)
    """
    frame, exif, icc_parts, position = None, b"", [], 2
    try:
        while (marker := data[position + 1]) != 0xDA:  # start of scan
            if data[position] != 0xFF:
                raise BrokenImage("damaged JPEG header")
            if marker == 0xFF:  # fill byte
                position += 1
                continue
            length = int.from_bytes(data[position + 2 : position + 4], "big")
            segment = data[position + 4 : position + 2 + length]
            if marker in _FRAME_MARKERS:
                frame = struct.unpack(">BHHB", segment[:6])
            elif marker == 0xE1 and segment.startswith(b"Exif\0"):
                exif = segment
            elif marker == 0xE2 and segment.startswith(b"ICC_PROFILE\0"):
                icc_parts.append((segment[12], segment[14:]))
            position += 2 + length
    except (IndexError, struct.error):
        raise BrokenImage("truncated JPEG: it ends before the picture begins") from None
    if frame is None:
        raise BrokenImage("damaged JPEG: it has no frame header")
    if data.rfind(b"\xff\xd9", position) < 0:
        raise BrokenImage("truncated JPEG: the end-of-image marker is missing")
    _, height, width, channels = frame
    icc_profile = b"".join(part for _, part in sorted(icc_parts))
    return Header(width, height, channels, exif_orientation(exif), icc_profile)


def read_png_header(data):
    """Read the chunks of a PNG.

    Raises:
        BrokenImage: the first chunk is not IHDR, or the file ends before its IEND chunk does.
    """
    chunks, kind, position = {}, b"", len(PNG_SIGNATURE)
    while kind != b"IEND":
        length = int.from_bytes(data[position : position + 4], "big")
        kind = data[position + 4 : position + 8]
        if position + 12 + length > len(data):
            raise BrokenImage("truncated PNG: it ends inside a chunk or before its IEND chunk")
        if kind in (b"IHDR", b"iCCP", b"eXIf", b"tRNS"):
            chunks[kind] = data[position + 8 : position + 8 + length]
        position += 12 + length
    if len(chunks.get(b"IHDR", b"")) != 13:
        raise BrokenImage("damaged PNG: it has no IHDR chunk")
    width, height, bits, color_type = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(color_type, 3)
    transparency = chunks.get(b"tRNS")
    transparent_gray = None
    if transparency is not None and color_type == 0 and bits:
        full_scale = 65535 if bits == 16 else 255
        transparent_gray = int.from_bytes(transparency[:2], "big") * full_scale // (2**bits - 1)
    elif transparency is not None and channels == 3:
        channels = 4
    return Header(
        width,
        height,
        channels,
        orientation=exif_orientation(chunks.get(b"eXIf", b"")),
        icc_profile=_png_profile(chunks.get(b"iCCP", b"")),
        transparent_gray=transparent_gray,
    )


def read_tiff_tags(file):
    """Read the tags of a TIFF's first page.

    Args:
        file: a binary file, or the bytes of one.

    Returns:
        A mapping of tag number to value, as Pillow gives it.

    Raises:
        BrokenImage: there is no directory where the header says, or it has no size.
    """
    file = file if hasattr(file, "read") else io.BytesIO(file)
    file.seek(0)
    prefix = file.read(16)
    prefix = prefix if prefix.startswith(BIG_TIFF_SIGNATURE) else prefix[:8]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of a directory cut short; the missing tags tell us
            tags = TiffImagePlugin.ImageFileDirectory_v2(prefix)
            file.seek(tags.next)
            tags.load(file)
            tags = dict(tags)
        tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH]
    except Exception as error:  # whatever malformed bytes make of Pillow's parser
        raise BrokenImage("truncated or damaged TIFF: its first directory cannot be read") from error
    return tags


def list_tiff_pages(file):
    """List the pages of a TIFF that are pictures of their own, not smaller copies of others or masks.

    Args:
        file: binary file.

    Returns:
        list of int, their numbers among all pages, from 0.

    Raises:
        BrokenImage: a page is said to lie where there is none.
    """
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    is_big = start.startswith(BIG_TIFF_SIGNATURE)
    number, link = struct.Struct(order + ("Q" if is_big else "H")), struct.Struct(order + ("Q" if is_big else "I"))
    entry = struct.Struct(order + ("HHQL4x" if is_big else "HHLL"))
    pages, seen = [], set()
    try:
        (offset,) = link.unpack_from(start, 8 if is_big else 4)
        while offset:
            if offset in seen:
                raise BrokenImage("damaged TIFF: its pages go round in a circle")
            file.seek(offset)
            (entries,) = number.unpack(file.read(number.size))
            directory = file.read(entries * entry.size + link.size)
            tags = {tag: value for tag, _, _, value in entry.iter_unpack(directory[: entries * entry.size])}
            if not tags.get(_SUBFILE_TYPE, 0) & _COPY_OR_MASK:
                pages.append(len(seen))
            seen.add(offset)
            (offset,) = link.unpack_from(directory, entries * entry.size)
    except (struct.error, OverflowError, OSError):
        raise BrokenImage("truncated TIFF: some of its pages are missing") from None
    return pages


def exif_orientation(exif):
    """The orientation, 1 to 8, in a block of EXIF data; 1 where there is none or it makes no sense."""
    if not exif:
        return 1
    tags = Image.Exif()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tags.load(exif)
            orientation = tags.get(_ORIENTATION, 1)
    except Exception:  # cameras write odd EXIF data; the picture is good without it
        return 1
    return orientation if orientation in range(1, 9) else 1


def _png_profile(chunk):
    name_end = chunk.find(b"\0")
    if name_end < 0:
        return b""
    try:
        return zlib.decompressobj().decompress(chunk[name_end + 2 :], _MAX_PROFILE_BYTES)
    except zlib.error:
        return b""
