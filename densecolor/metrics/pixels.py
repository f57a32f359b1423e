"""Differences between two pictures, pixel by pixel, over R, G and B alike."""

import math

import cv2

from densecolor.metrics.checks import require_rgb_pair


def psnr(rgb_true, rgb_pred):
    """Peak signal-to-noise ratio: 10 log10(255^2 / mean squared error over pixels, R, G and B).

    Args:
        rgb_true: sRGB uint8 (H, W, 3).
        rgb_pred: sRGB uint8 (H, W, 3).

    Returns:
        float, dB, higher is better; infinity for equal pictures, 0 for black against white.

    Raises:
        ImageError: another type or shape.

    Example:
        >>> round(psnr(np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 16, np.uint8)), 2)
        24.05
    """
    error = rmse(rgb_true, rgb_pred)
    return math.inf if error == 0 else -20 * math.log10(error)


def rmse(rgb_true, rgb_pred):
    """Root of the mean squared error over pixels, R, G and B, with white at 1.

    Arguments and errors as in `psnr`.

    Returns:
        float in [0, 1], lower is better.
    """
    rgb_true, rgb_pred = require_rgb_pair(rgb_true, rgb_pred)
    return math.sqrt(cv2.norm(rgb_true, rgb_pred, cv2.NORM_L2SQR) / rgb_true.size) / 255


def mae(rgb_true, rgb_pred):
    """Mean absolute error over pixels, R, G and B, with white at 1.

    Arguments and errors as in `psnr`.

    Returns:
        float in [0, 1], lower is better.
    """
    rgb_true, rgb_pred = require_rgb_pair(rgb_true, rgb_pred)
    return cv2.norm(rgb_true, rgb_pred, cv2.NORM_L1) / rgb_true.size / 255
