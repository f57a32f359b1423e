"""Structural similarity as scikit-image and as TensorFlow define it, from OpenCV's quicker filters."""

import cv2
import numpy as np

from densecolor.errors import ImageError
from densecolor.metrics.checks import require_rgb_pair

WINDOW = 7  # pixels, the side of scikit-image's uniform window
GAUSSIAN_WINDOW = 11  # pixels, the side of tf.image's window
GAUSSIAN_SIGMA = 1.5
_SAMPLE = WINDOW**2 / (WINDOW**2 - 1)  # from population to sample variance
# Not cv2.GaussianBlur, whose weights do not add up to 1 well enough.
_KERNEL = np.exp(-0.5 * np.square((np.arange(GAUSSIAN_WINDOW) - GAUSSIAN_WINDOW // 2) / GAUSSIAN_SIGMA))
_KERNEL /= _KERNEL.sum()
_BAND = 1 << 16  # pixels of a channel at once, which stay in the processor's cache


def ssim(rgb_true, rgb_pred, data_range=255):
    """Mean structural similarity over the positions of a 7 x 7 window, R, G and B, as scikit-image has it.

    (2 mx my + C1)(2 cov + C2) / ((mx^2 + my^2 + C1)(vx + vy + C2)) with the means, sample variances and
    sample covariance in the window, C1 = (0.01 R)^2, C2 = (0.03 R)^2 with R the data range; only windows that lie
    wholly inside the picture count. These are the numbers, to 1e-5, of
    `skimage.metrics.structural_similarity(rgb_true, rgb_pred, channel_axis=-1, data_range=255)`.

    Args:
        rgb_true: sRGB uint8 (H, W, 3), H and W at least 7.
        rgb_pred: sRGB uint8 (H, W, 3).
        data_range: what counts as the distance from black to white. 510 gives what scikit-image used to give for floats
            in [0, 1] when it was not told their range, as in the evaluation of SCGAN (Zhao et al., 2021): higher.

    Returns:
        float in [-1, 1], higher is better; 1 for equal pictures.

    Raises:
        ImageError: another type or shape, or a side under 7 pixels.

    Source:
        Wang Z., Bovik A., Sheikh H., Simoncelli E., "Image Quality Assessment: From Error Visibility to
        Structural Similarity", IEEE TIP 13(4), 2004.
    """
    return _mean(rgb_true, rgb_pred, _uniform, WINDOW, _SAMPLE, data_range)


def ssim_gaussian(rgb_true, rgb_pred):
    """Mean structural similarity under an 11 x 11 Gaussian window, R, G and B, as TensorFlow has it.

    The formula of `ssim` with weights of standard deviation 1.5 in the window, and population variances. These are
    the numbers, to 1e-4, of `tf.image.ssim(rgb_true, rgb_pred, max_val=255)`; the paper's own choice of window.

    Args:
        rgb_true: sRGB uint8 (H, W, 3), H and W at least 11.
        rgb_pred: sRGB uint8 (H, W, 3).

    Returns:
        float in [-1, 1], higher is better; 1 for equal pictures.

    Raises:
        ImageError: another type or shape, or a side under 11 pixels.

    Source:
        As `ssim`.
    """
    return _mean(rgb_true, rgb_pred, _gaussian, GAUSSIAN_WINDOW, 1, 255)


def ssim_map(rgb_true, rgb_pred):
    """`ssim` at each position of its window, mean over R, G and B.

    Arguments and errors as in `ssim`.

    Returns:
        float64 (H - 6, W - 6); the window at [0, 0] has its middle at pixel [3, 3].
    """
    rgb_true, rgb_pred = _checked(rgb_true, rgb_pred, WINDOW)
    channels = zip(cv2.split(rgb_true), cv2.split(rgb_pred), strict=True)
    return sum(_similarity(x, y, _uniform, WINDOW, _SAMPLE, 255).astype("float64") for x, y in channels) / 3


def _checked(rgb_true, rgb_pred, window):
    rgb_true, rgb_pred = require_rgb_pair(rgb_true, rgb_pred)
    if min(rgb_true.shape[:2]) < window:
        raise ImageError(
            f"SSIM needs pictures of {window} x {window} pixels or more. Received: shape={rgb_true.shape}."
        )
    return rgb_true, rgb_pred


def _mean(rgb_true, rgb_pred, window_means, window, sample, data_range):
    rgb_true, rgb_pred = _checked(rgb_true, rgb_pred, window)
    height, width = rgb_true.shape[0] - window + 1, rgb_true.shape[1] - window + 1
    rows = max(1, _BAND // rgb_true.shape[1])
    total = 0.0
    for top in range(0, height, rows):
        band = slice(top, min(top + rows, height) + window - 1)
        for x, y in zip(cv2.split(rgb_true[band]), cv2.split(rgb_pred[band]), strict=True):
            total += cv2.sumElems(_similarity(x, y, window_means, window, sample, data_range))[0]
    return total / (3 * height * width)


def _similarity(x, y, window_means, window, sample, data_range):
    """The map of one channel, over the windows inside it.

    Written in the sum s and the difference d of the two pictures, which takes fewer steps: 4 mx my = ms^2 - md^2,
    2 (mx^2 + my^2) = ms^2 + md^2, and likewise the covariance and the variances. Arrays are written over again and
    again, since new ones cost more than the arithmetic.
    """
    c1, c2 = 2 * (0.01 * data_range) ** 2, 2 * (0.03 * data_range) ** 2
    s = cv2.add(x, y, dtype=cv2.CV_32F)
    s -= 256  # around 0 the squares stay small enough for float32; variances do not mind the shift
    d = cv2.subtract(x, y, dtype=cv2.CV_32F)
    mean_s, mean_d = window_means(s), window_means(d)
    cv2.multiply(s, s, s)
    cv2.multiply(d, d, d)
    variance_s, variance_d = window_means(s), window_means(d)
    variance_s -= cv2.multiply(mean_s, mean_s, s)
    square_d = cv2.multiply(mean_d, mean_d, d)
    variance_d -= square_d
    mean_s += 256
    mean_s *= mean_s
    mean_s += c1
    variance_s *= sample
    variance_s += c2
    variance_d *= sample
    similarity = mean_s - square_d
    similarity *= cv2.subtract(variance_s, variance_d, s)
    mean_s += square_d
    variance_s += variance_d
    mean_s *= variance_s
    similarity /= mean_s
    margin = window // 2
    return similarity[margin:-margin, margin:-margin]


def _uniform(values):
    return cv2.blur(values, (WINDOW, WINDOW))


def _gaussian(values):
    return cv2.sepFilter2D(values, cv2.CV_32F, _KERNEL, _KERNEL)
