"""How many pixels have nearly the right a and b, for every meaning of nearly (Zhang R. et al., 2016)."""

import functools

import cv2
import numpy as np

from densecolor.color import quantize_ab
from densecolor.color.ab_bins import AB_BINS
from densecolor.errors import ImageError
from densecolor.metrics.checks import require_ab

MAX_THRESHOLD = 150  # Lab units; thresholds are 0, 1, ..., 150


def ab_accuracy_curve(ab_true, ab_pred):
    """Share of the pixels whose distance from the truth, sqrt(da^2 + db^2), is at most 0, 1, ..., 150.

    Args:
        ab_true: (H, W, 2), float or signed integer, in Lab units.
        ab_pred: (H, W, 2), likewise.

    Returns:
        float64 (151,), not falling, in [0, 1].

    Raises:
        ImageError: another shape or type, shapes that differ, no pixels, or values that are not finite.

    Source:
        Zhang R., Isola P., Efros A., "Colorful Image Colorization", ECCV 2016, section 3.1.

    Example:
        >>> ab_accuracy_curve(np.int8([[[0, 0], [0, 0]]]), np.int8([[[3, 4], [0, 0]]]))[[0, 4, 5]]
        array([0.5, 0.5, 1. ])
    """
    first = _first_thresholds(*_checked(ab_true, ab_pred))
    counts = np.bincount(first.ravel(), minlength=MAX_THRESHOLD + 2)[: MAX_THRESHOLD + 1]
    return np.cumsum(counts) / first.size


def ab_auc(ab_true, ab_pred):
    """Area under `ab_accuracy_curve`, by the trapezoidal rule, as a share of the whole.

    Each pixel counts alike. For pictures of one size the mean over pictures is the area for all their pixels.

    Arguments and errors as in `ab_accuracy_curve`.

    Returns:
        float in [0, 1], higher is better; 1 for equal pictures. The paper has 0.891 for gray and 0.895 for its full
        system, on ImageNet.
    """
    curve = ab_accuracy_curve(ab_true, ab_pred)
    return float((curve.sum() - (curve[0] + curve[-1]) / 2) / MAX_THRESHOLD)


def ab_auc_by_bin(ab_true, ab_pred):
    """What `rebalanced_ab_auc` needs of one picture; the sums of many pictures are those of all.

    Arguments and errors as in `ab_accuracy_curve`.

    Returns:
        (counts, areas): int64 and float64 (313,), for each bin of `densecolor.color.ab_bins.AB_BINS` the pixels whose
        true colour is nearest to it, and the sum of their areas under the curve.
    """
    ab_true, ab_pred = _checked(ab_true, ab_pred)
    a, b = np.moveaxis(quantize_ab(ab_true).astype(np.intp) + 128, -1, 0)
    bins = _nearest_bins()[a, b].ravel()
    areas = _AREAS[_first_thresholds(ab_true, ab_pred).ravel()]
    size = len(AB_BINS)
    return np.bincount(bins, minlength=size), np.bincount(bins, areas, minlength=size)


def rebalanced_ab_auc(counts, areas):
    """The area under the curve with each pixel weighted by 1 / (share of its true colour's bin).

    Shares are those of the pixels given, so that every bin that occurs weighs the same: the mean over those bins of the
    area of their pixels. (The paper takes the shares of its training data; it does not say how rare a bin may be.)

    Args:
        counts, areas: sums over pictures of what `ab_auc_by_bin` returns.

    Returns:
        float in [0, 1], higher is better; NaN for no pixels. The paper has 0.580 for gray and 0.673 for its full
        system.

    Source:
        Zhang R. et al., 2016, section 3.1 and equation 4 with lambda = 0.
    """
    occurs = counts > 0
    return float((areas[occurs] / counts[occurs]).mean()) if occurs.any() else float("nan")


def _checked(ab_true, ab_pred):
    ab_true, ab_pred = require_ab(ab_true), require_ab(ab_pred)
    if ab_true.shape != ab_pred.shape:
        raise ImageError(
            "Both pictures must have the same shape. "
            f"Received: ab_true.shape={ab_true.shape}, ab_pred.shape={ab_pred.shape}."
        )
    return ab_true, ab_pred


def _first_thresholds(ab_true, ab_pred):
    """Of each pixel the first threshold that accepts it, int (H, W); 151 where none does."""
    # In 64 bits, where float32 would put distances of whole numbers beside their threshold.
    a, b = cv2.split(np.subtract(ab_true, ab_pred, dtype=np.float64))
    return np.minimum(np.ceil(np.sqrt(a * a + b * b)), MAX_THRESHOLD + 1).astype(np.intp)


# The area under the curve of one pixel by its first threshold: the curve is 0 before it and 1 from it on.
_AREAS = np.append((MAX_THRESHOLD + 0.5 - np.arange(MAX_THRESHOLD + 1)) / MAX_THRESHOLD, 0.0)
_AREAS[0] = 1.0


@functools.cache
def _nearest_bins():
    """The bin nearest to every whole a and b, uint16 (256, 256), from -128 on."""
    values = np.arange(-128, 128, dtype=np.float32)
    nearest = np.empty((256, 256), np.uint16)
    for row, a in enumerate(values):
        squares = np.square(a - AB_BINS[:, 0]) + np.square(values[:, None] - AB_BINS[:, 1])
        nearest[row] = squares.argmin(axis=1)
    return nearest
