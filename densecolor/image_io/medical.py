"""What DICOM and NIfTI have in common: nothing of a patient's file is said aloud, and values become 16-bit gray."""

import contextlib
import logging
import math
import warnings

import numpy as np

from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.errors import require_package
from densecolor.image_io.headers import BrokenImage

PREDICTED = "Colours are predicted, not measured: not for diagnosis"  # what files of colours say of themselves
WHITE = 65535
MAX_FRAMES = 1 << 20  # of one file; more are a damaged header, not a picture
DEFLATE_RATIO = 1032  # deflate never makes bytes smaller than this


@contextlib.contextmanager
def discreetly(package, logger, reason):
    """Run a `with` block of another package's code that reads a medical file.

    Its exceptions, warnings and log quote what stands in the file, such as a patient's name; none of that gets out.

    Args:
        package: name of the package, which must be installed.
        logger: name of its logger.
        reason: what is wrong with the file if the block raises anything but `BrokenImage`.

    Raises:
        BrokenImage: with `reason`, the block's own, or that the package is missing.
    """
    try:
        require_package(package, "medical")
    except DensecolorError as error:
        raise BrokenImage(str(error).removesuffix(".")) from None
    log = logging.getLogger(logger)
    level = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except BrokenImage:
        raise
    except Exception:  # malformed bytes make many kinds
        raise BrokenImage(reason) from None
    finally:
        log.setLevel(level)


@contextlib.contextmanager
def named(name):
    """Turn `BrokenImage` of a `with` block into `ImageError` that names the picture."""
    try:
        yield
    except BrokenImage as error:
        raise ImageError(f"{name}: {error}.") from None


def stretch(values, low, high):
    """Stretch a range of values to 16-bit gray.

    Args:
        values: array of numbers; NaN counts as `low`.
        low: what becomes black, as all below it.
        high: what becomes white, as all above it; if it is not above `low`, everything above `low` is white.

    Returns:
        uint16 array of the same shape.
    """
    if not low < high:
        return np.where(values > low, np.uint16(WHITE), np.uint16(0))
    scaled = (np.asarray(values, np.float64) - low) * (WHITE / (high - low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, WHITE)).astype(np.uint16)


def check_window(window, meaning):
    """Refuse a window that shows nothing.

    Args:
        window: two numbers, or None.
        meaning: "centre, width" or "low, high".

    Raises:
        DensecolorError: the width is not above 0, or high not above low.
    """
    if window is None:
        return
    first, second = window
    least = 0 if meaning == "centre, width" else first
    if not (math.isfinite(first) and math.isfinite(second) and second > least):
        rule = "the width above 0" if meaning == "centre, width" else "the highest value above the lowest"
        raise DensecolorError(f"`window` must be ({meaning}), {rule}. Received: window={tuple(window)}.")
