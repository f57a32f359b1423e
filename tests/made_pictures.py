"""Pictures in every format, and what disks, cables and malice make of them."""

import io

from PIL import Image

KINDS = {
    "jpg": {"format": "JPEG", "quality": 80},
    "progressive.jpg": {"format": "JPEG", "progressive": True},
    "png": {"format": "PNG"},
    "tif": {"format": "TIFF", "compression": "tiff_lzw"},
    "plain.tif": {"format": "TIFF"},
    "webp": {"format": "WEBP", "quality": 80},
    "gif": {"format": "GIF"},
    "bmp": {"format": "BMP"},
}


def encoded(crops):
    """A picture of 32 x 32 in every format, bytes by suffix."""
    files = {}
    for i, (suffix, options) in enumerate(KINDS.items()):
        stream = io.BytesIO()
        Image.fromarray(crops[i]).save(stream, **options)
        files[suffix] = stream.getvalue()
    return files


def mutate(data, random):
    """Some bytes changed, cut out, repeated or cut off: what disks, cables and careless programs do."""
    data = bytearray(data)
    for _ in range(random.integers(1, 6)):
        start = int(random.integers(0, max(1, len(data))))
        length = int(random.integers(1, 2 + min(64, len(data))))
        kind = random.integers(0, 5)
        if kind == 0:
            data[start : start + 1] = random.bytes(1)
        elif kind == 1:
            data[start : start + length] = random.bytes(length)
        elif kind == 2:
            del data[start : start + length]
        elif kind == 3:
            data[start:start] = data[start : start + length]
        else:
            del data[start:]
    return bytes(data)


def png(width, height):
    """An almost empty PNG of any size: one bit a pixel, all black."""
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()
