"""One picture, from file to file."""

import errno
import os
import stat

from densecolor.image_io import read_image
from densecolor.image_io import remove_unfinished
from densecolor.image_io import write_image
from densecolor.inference.picture import colorize_with_account
from densecolor.inference.pixel_budget import PixelBudget
from densecolor.inference.pixel_budget import pixels_of
from densecolor.inference.record import state_of

MAX_FILE_BYTES = 1 << 31  # more than the largest picture, less than what would fill the memory
PIXELS_AT_A_TIME = 1 << 26  # in all threads together; a larger picture is colorized alone


class FileColorizer:
    """Colorizes files; one object for all threads.

    Args:
        model: what predicts.
        record: `densecolor.inference.record.Record`.
        check: function (), called between steps; it raises where the work as a whole has ended.
        options: dict, options of `colorize_with_account`.
    """

    def __init__(self, model, record, check, options):
        self._model = model
        self._record = record
        self._check = check
        self._options = options
        self._budget = PixelBudget(PIXELS_AT_A_TIME)

    def colorize(self, source, target):
        """Colorize one file.

        Raises:
            ImageError: the file is no picture, or cannot be written as asked.
            OSError: it cannot be read, or its output not written.
            CheckpointError: see `colorize`.
        """
        _check_file(source)
        before = state_of(source)
        with self._budget.taken(pixels_of(source)):
            self._check()
            picture = read_image(source)
            colored = colorize_with_account(picture, self._model, in_place=True, **self._options)
            self._check()
            if self._record.is_unfinished(target):
                remove_unfinished(target)
            self._record.begin(target)
            write_image(target, colored.rgb, colored.alpha, overwrite=True)
        self._record.end(source, target, before)


def reason_of(source, error):
    """Why a picture failed, in a line that names it."""
    if isinstance(error, MemoryError):
        return f"{source}: there is not enough memory for it."
    reason = " ".join(str(error).split())
    return reason if str(source) in reason else f"{source}: {reason}"


def _check_file(path):
    """Refuse what would never end or fill the memory.

    Raises:
        OSError: it does.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if status.st_size > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_FILE_BYTES >> 30} GiB", str(path))
