"""Large TIFFs, decoded straight into the array that they become.

A scan of 100 megapixels is 300 MB; OpenCV and Pillow hold the file and one to three copies of the pixels beside it.
"""

import numpy as np
from PIL import TiffImagePlugin

from densecolor.image_io.headers import TIFF_SIGNATURES
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.headers import Header
from densecolor.image_io.headers import read_tiff_tags

LARGE = 1 << 24  # pixels
_UNASSOCIATED_ALPHA = 2


def read_large_tiff(file, max_pixels):
    """Read the first page of a large TIFF of the usual kinds: gray, RGB, or RGB with alpha, 8 or 16 bits, in one plane.

    Args:
        file: a binary file, at its beginning.
        max_pixels: int.

    Returns:
        (pixels, alpha or None, `Header`), not yet turned upright and not yet in sRGB; or None where the file is no
        TIFF, is small, has more than `max_pixels`, or is of another kind, which `decode_image` reads or refuses.

    Raises:
        BrokenImage: it is a TIFF that is cut short. (tifffile would fill what is missing with black.)
    """
    start = file.read(132)
    if not start.startswith(TIFF_SIGNATURES) or start[128:] == b"DICM":
        return None
    tags = read_tiff_tags(file)
    width, height = tags[TiffImagePlugin.IMAGEWIDTH], tags[TiffImagePlugin.IMAGELENGTH]
    if not LARGE < width * height <= max_pixels:
        return None
    import tifffile  # here, since it takes long to import

    file.seek(0)
    with tifffile.TiffFile(file) as tiff:
        return read_usual_page(tiff.pages.first)


def read_usual_page(page):
    """Read a page of a TIFF of the usual kinds.

    Args:
        page: `tifffile.TiffPage` of an open file.

    Returns:
        (pixels, alpha or None, `Header`) as `read_large_tiff`, or None where it is of another kind.

    Raises:
        BrokenImage: it is cut short.
    """
    import tifffile

    if not _is_usual(page):
        return None
    end = page.parent.filehandle.size
    segments = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if not segments or any(not count or offset + count > end for offset, count in segments):
        raise BrokenImage("truncated TIFF: some of its pixels are missing")
    width, height = page.imagewidth, page.imagelength
    values = page.asarray(squeeze=False).reshape(height, width, -1)
    header = Header(
        width=width,
        height=height,
        channels=values.shape[-1],
        orientation=int(page.tags.valueof(274, 1)),
        icc_profile=bytes(page.tags.valueof(34675, b"")),
    )
    if page.photometric == tifffile.PHOTOMETRIC.MINISWHITE:
        np.invert(values, out=values)
    if header.channels == 1:
        return values[..., 0], None, header
    if header.channels == 3:
        return values, None, header
    return np.ascontiguousarray(values[..., :3]), np.ascontiguousarray(values[..., 3]), header


def _is_usual(page):
    kind = (page.photometric.name, page.samplesperpixel, tuple(int(extra) for extra in page.extrasamples))
    return (
        page.dtype in (np.uint8, np.uint16)
        and page.bitspersample == 8 * page.dtype.itemsize
        and (page.samplesperpixel == 1 or page.planarconfig == 1)
        and page.compression.name not in ("JPEG", "OJPEG")  # whose colours may be YCbCr by another name
        and kind
        in (
            ("MINISBLACK", 1, ()),
            ("MINISWHITE", 1, ()),
            ("RGB", 3, ()),
            ("RGB", 4, (_UNASSOCIATED_ALPHA,)),
        )
    )
