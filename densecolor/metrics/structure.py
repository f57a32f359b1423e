"""Structural similarity: scikit-image's numbers, to 1e-5, from OpenCV's quicker filters."""

import cv2
import numpy as np

from densecolor.errors import ImageError
from densecolor.metrics.checks import require_rgb_pair

WINDOW = 7  # pixels, the side of the uniform window
_SAMPLE = WINDOW**2 / (WINDOW**2 - 1)  # from population to sample variance
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def ssim(rgb_true, rgb_pred):
    """Mean structural similarity over the positions of a 7 x 7 window, R, G and B.

    (2 mx my + C1)(2 cov + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2)) with the means, sample variances and
    sample covariance in the window, C1 = (0.01 * 255)^2, C2 = (0.03 * 255)^2; only windows that lie wholly
    inside the picture count. These are the defaults of
    `skimage.metrics.structural_similarity(rgb_true, rgb_pred, channel_axis=-1, data_range=255)`.

    Args:
        rgb_true: sRGB uint8 (H, W, 3), H and W at least 7.
        rgb_pred: sRGB uint8 (H, W, 3).

    Returns:
        float in [-1, 1], higher is better; 1 for equal pictures.

    Raises:
        ImageError: another type or shape, or a side under 7 pixels.

    Source:
        Wang Z., Bovik A., Sheikh H., Simoncelli E., "Image Quality Assessment: From Error Visibility to
        Structural Similarity", IEEE TIP 13(4), 2004.
    """
    rgb_true, rgb_pred = require_rgb_pair(rgb_true, rgb_pred)
    if min(rgb_true.shape[:2]) < WINDOW:
        raise ImageError(
            f"SSIM needs pictures of {WINDOW} x {WINDOW} pixels or more. Received: shape={rgb_true.shape}."
        )
    # One channel at a time stays in the processor's cache.
    channels = zip(cv2.split(rgb_true), cv2.split(rgb_pred), strict=True)
    return float(np.mean([_channel_ssim(x, y) for x, y in channels]))


def _channel_ssim(x, y):
    # Around 128 the products below stay small enough for float32; variances do not mind the shift.
    x = x.astype(np.float32) - 128
    y = y.astype(np.float32) - 128
    shifted_x = _window_means(x)
    shifted_y = _window_means(y)
    variances = _window_means(x * x + y * y) - (shifted_x * shifted_x + shifted_y * shifted_y)
    covariance = _window_means(x * y) - shifted_x * shifted_y
    mean_x = shifted_x + 128
    mean_y = shifted_y + 128
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x * mean_x + mean_y * mean_y + _C1)
    structure = (2 * _SAMPLE * covariance + _C2) / (_SAMPLE * variances + _C2)
    return (luminance * structure).mean(dtype=np.float64)


def _window_means(values):
    """Means over every window that lies inside the picture."""
    means = cv2.blur(values, (WINDOW, WINDOW))
    margin = WINDOW // 2
    return np.ascontiguousarray(means[margin:-margin, margin:-margin])
