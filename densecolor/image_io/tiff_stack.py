"""Stacks: TIFFs of several pages, read and written page by page."""

import logging

import numpy as np
from PIL import TiffImagePlugin

from densecolor.errors import ImageError
from densecolor.image_io.headers import TIFF_SIGNATURES
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.headers import list_tiff_pages
from densecolor.image_io.large_tiff import read_usual_page
from densecolor.image_io.medical import stretch
from densecolor.image_io.read import DEFAULT_MAX_PIXELS
from densecolor.image_io.read import Picture
from densecolor.image_io.read import check_size
from densecolor.image_io.read import decode_with_pillow
from densecolor.image_io.read import errors_named
from densecolor.image_io.read import finish
from densecolor.image_io.write import TIFF_SUFFIXES
from densecolor.image_io.write import tiff_page
from densecolor.image_io.write import written_whole

_CLASSIC_BYTES = 1 << 32  # of a TIFF whose offsets have 32 bits


def count_tiff_pages(path):
    """How many pictures a TIFF holds, without smaller copies of them.

    Args:
        path: of the file.

    Returns:
        int; 0 where it is no TIFF.

    Raises:
        ImageError: it is cut short.
        OSError: it cannot be read.

    Example:
        >>> count_tiff_pages("stack.tif")
        120
    """
    with open(path, "rb") as file, errors_named(str(path)):
        start = file.read(132)
        is_tiff = start.startswith(TIFF_SIGNATURES) and start[128:] != b"DICM"
        return len(list_tiff_pages(file)) if is_tiff else 0


class TiffStack:
    """A TIFF of several pages that gives them one by one; to be closed after use.

    Args:
        path: of the file.

    Raises:
        ImageError: it is damaged.
        OSError: it cannot be read.

    Example:
        >>> with contextlib.closing(TiffStack("stack.tif")) as stack:
        ...     middle = stack.picture(stack.pages // 2)
    """

    def __init__(self, path):
        import tifffile  # here, since it takes long to import

        logging.getLogger("tifffile").addHandler(logging.NullHandler())  # what matters raises
        self._name = str(path)
        self._file = open(path, "rb")  # noqa: SIM115 - as long as the stack is in use
        try:
            with errors_named(self._name):
                self._numbers = list_tiff_pages(self._file)
                self._file.seek(0)
                self._tiff = tifffile.TiffFile(self._file)
                self._refuse_hidden_pages()
        except BaseException:
            self._file.close()
            raise

    def _refuse_hidden_pages(self):
        """ImageJ writes large stacks behind one page, which alone says how many there are."""
        hidden = (self._tiff.imagej_metadata or {}).get("images", 1)
        if len(self._numbers) == 1 and hidden > 1:
            raise BrokenImage(f"an ImageJ stack with one page for its {hidden} pictures. Save it with a page for each")

    def close(self):
        """Close the file."""
        self._file.close()

    @property
    def pages(self):
        """How many there are."""
        return len(self._numbers)

    @property
    def resolution(self):
        """Options of tifffile that say how large a pixel of the first page is."""
        page = self._tiff.pages[self._numbers[0]]
        return {"resolution": page.resolution, "resolutionunit": page.resolutionunit}

    def picture(self, index, window=None):
        """Decode a page.

        Args:
            index: from 0.
            window: (low, high), the values of gray pages that become black and white; None leaves all as they are.

        Returns:
            Picture; with a window uint16.

        Raises:
            ImageError: it is damaged or too large, or has pixels that are neither 8 nor, in the usual ways, 16 bits.
        """
        number = self._numbers[index]
        with errors_named(f"{self._name}, page {index + 1}"):
            page = self._tiff.pages[number]
            check_size(page.imagewidth, page.imagelength, DEFAULT_MAX_PIXELS)
            usual = read_usual_page(page)
            picture = finish(*usual) if usual else self._unusual(page, number)
        if window is None or not picture.is_gray:
            return picture
        return Picture(stretch(picture.pixels, *window), _in_16_bits(picture.alpha))

    def _unusual(self, page, number):
        bits = page.bitspersample
        if page.sampleformat != 1 or not isinstance(bits, int) or bits > 8:
            raise BrokenImage(
                "its pixels are of a kind that cannot be read: 8 bits can, and 16 bits as gray, RGB and RGB with alpha "
                "in one plane. Save the stack as one of these"
            )
        with open(self._name, "rb") as file:
            return decode_with_pillow(TiffImagePlugin.TiffImageFile, file, DEFAULT_MAX_PIXELS, number)


def _in_16_bits(alpha):
    return alpha if alpha is None or alpha.dtype == np.uint16 else alpha * np.uint16(257)


def write_stack(path, pages, description, count=1, **resolution):
    """Write a TIFF of several pages, one after the other, losslessly compressed.

    Args:
        path: where to, ending in .tif or .tiff; it gets this name when it is whole, and replaces what is there.
        pages: iterable of (pixels, alpha or None): uint8 or uint16 (H, W, 3), R, G, B, and (H, W).
        description: ASCII, of every page.
        count: how many pages there will be: many large ones become a BigTIFF.
        resolution: as `TiffStack.resolution` gives it.

    Raises:
        ImageError: the suffix is another.
        OSError: the file cannot be written.

    Example:
        >>> write_stack("colour.tif", [(rgb, None) for rgb in pictures], "Colours are predicted.", len(pictures))
    """
    import tifffile

    if path.suffix.lower() not in TIFF_SUFFIXES:
        raise ImageError(f"{path}: stacks are written as {' or '.join(TIFF_SUFFIXES)}.")
    with written_whole(path) as unfinished:
        writer = None
        try:
            for pixels, alpha in pages:
                if writer is None:
                    writer = tifffile.TiffWriter(unfinished, bigtiff=2 * count * pixels.nbytes > _CLASSIC_BYTES)
                writer.write(**tiff_page(pixels, alpha), description=description, metadata=None, **resolution)
        finally:
            if writer is not None:
                writer.close()
