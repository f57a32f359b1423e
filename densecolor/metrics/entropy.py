"""How much the colours of a picture say, in bits: the entropies of its a and b, and what a colorizer loses."""

import cv2
import numpy as np

from densecolor.color import quantize_ab
from densecolor.metrics.checks import require_ab


def ab_entropy(ab):
    """Entropy of a plus entropy of b, each over 256 bins of width 1.

    -sum p log2 p over the rounded values of a, and the same of b. Where pixels lie does not matter.

    Args:
        ab: (H, W, 2), float or signed integer, in Lab units; clipped to [-128, 127].

    Returns:
        float, bits, in [0, 16]; 0 for a picture of one colour.

    Raises:
        ImageError: another shape or type, no pixels, or values that are not finite.

    Example:
        >>> ab_entropy(np.int8([[[0, 10], [5, 10]]]))
        1.0
    """
    return ab_entropies(ab)[0]


def joint_ab_entropy(ab):
    """Entropy of the pairs (a, b), over 256 x 256 bins of width 1.

    Arguments and errors as in `ab_entropy`.

    Returns:
        float, bits, in [0, 16]; at most `ab_entropy`, less by what a and b say of each other.
    """
    return ab_entropies(ab)[1]


def ab_entropies(ab):
    """`ab_entropy` and `joint_ab_entropy` of a picture, from one count of its colours.

    Arguments and errors as in `ab_entropy`.

    Returns:
        (float, float), bits.
    """
    return entropies_of(ab_histogram(ab))


def entropies_of(histogram):
    """What `ab_entropies` returns, of what `ab_histogram` counted."""
    return _entropy(histogram.sum(axis=1)) + _entropy(histogram.sum(axis=0)), _entropy(histogram)


def info_loss(ab_true, ab_pred):
    """Information loss: |ab_entropy(ab_true) - ab_entropy(ab_pred)|, the paper's measure of a colorization.

    A difference of entropies compares how varied the colours are, not whether they are right: noise of the
    right spread scores 0.

    Args:
        ab_true: the original's (H, W, 2), float or signed integer, in Lab units; clipped to [-128, 127].
        ab_pred: the colorized picture's, likewise; it may have another size.

    Returns:
        float, bits, in [0, 16]; lower is better.

    Raises:
        ImageError: as in `ab_entropy`.

    Source:
        Zhang N., Qin P., Zeng J., Song Y., "Image Colorization Algorithm based on Dense Neural Network",
        2019, equation 7. The paper leaves bins and logarithm open; ours are stated in `ab_entropy`.
    """
    return abs(ab_entropy(ab_true) - ab_entropy(ab_pred))


def joint_info_loss(ab_true, ab_pred):
    """`info_loss` with the entropy of the pairs (a, b) in the place of the sum of two entropies."""
    return abs(joint_ab_entropy(ab_true) - joint_ab_entropy(ab_pred))


def ab_histogram(ab):
    """Count how often each pair (a, b) occurs; the sum over pictures counts all their pixels.

    Arguments and errors as in `ab_entropy`.

    Returns:
        float32 (256, 256), whole numbers: pixels of each rounded a and b, from -128 on. Exact up to 2^24 pixels.
    """
    ab = require_ab(ab)
    levels = ab if ab.dtype == np.int8 else quantize_ab(ab)
    levels = np.ascontiguousarray(levels).view(np.uint8) ^ 128  # int8 -128..127 to uint8 0..255
    return cv2.calcHist([levels], [0, 1], None, [256, 256], [0, 256, 0, 256])


def _entropy(counts):
    counts = counts[counts > 0].astype(np.float64)
    total = counts.sum()
    return float(np.log2(total) - counts @ np.log2(counts) / total)
