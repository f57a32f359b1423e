"""How much memory pictures may take, over all threads."""

import contextlib
import threading
import warnings

from PIL import Image


class PixelBudget:
    """How many pixels may be in work at a time, over all threads.

    A picture that is larger than the whole waits until it is alone.

    Args:
        pixels: int, the whole.
    """

    def __init__(self, pixels):
        self._whole = pixels
        self._free = pixels
        self._changed = threading.Condition()
        self._line = threading.Lock()  # only the first in it waits for pixels, so that small ones never pass large ones

    @contextlib.contextmanager
    def taken(self, pixels):
        """Wait for so many pixels, and have them for the time of a `with` block."""
        pixels = min(pixels, self._whole)
        with self._line, self._changed:
            self._changed.wait_for(lambda: self._free >= pixels)
            self._free -= pixels
        try:
            yield
        finally:
            with self._changed:
                self._free += pixels
                self._changed.notify_all()


def pixels_of(path):
    """How many pixels a file's picture has, as its header says; for unknown formats, as many as it has bytes.

    Raises:
        OSError: there is no such file.

    Example:
        >>> pixels_of("holiday.jpg")
        12000000
    """
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(file) as image:
                return image.width * image.height
        except Exception:  # whatever malformed bytes make of Pillow's parsers; decoding tells what is wrong
            return file.seek(0, 2)
