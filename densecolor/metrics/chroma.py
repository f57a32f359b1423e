"""How colourful one picture is: to be compared with the truth's, since neither gray nor gaudy is right."""

import cv2
import numpy as np

from densecolor.metrics.checks import require_ab
from densecolor.metrics.checks import require_rgb


def colorfulness(rgb):
    """Colourfulness of a picture as people judge it.

    With rg = R - G and yb = (R + G) / 2 - B: sqrt(var(rg) + var(yb)) + 0.3 sqrt(mean(rg)^2 + mean(yb)^2).

    Args:
        rgb: sRGB uint8 (H, W, 3).

    Returns:
        float, in 8-bit code values: 0 for gray, about 15 "slightly", 45 "averagely", 109 "extremely"
        colourful in the authors' experiment.

    Raises:
        ImageError: another type or shape.

    Source:
        Hasler D., Suesstrunk S., "Measuring colourfulness in natural images", Human Vision and Electronic
        Imaging VIII, 2003.
    """
    red, green, blue = cv2.split(require_rgb(rgb, "rgb"))
    red_green = cv2.subtract(red, green, dtype=cv2.CV_16S)
    yellow_blue = cv2.addWeighted(cv2.add(red, green, dtype=cv2.CV_16S), 0.5, blue, -1, 0, dtype=cv2.CV_32F)
    means, deviations = zip(*map(cv2.meanStdDev, (red_green, yellow_blue)), strict=True)
    return float(np.hypot(*np.ravel(deviations)) + 0.3 * np.hypot(*np.ravel(means)))


def mean_chroma(ab):
    """Mean over the pixels of sqrt(a^2 + b^2).

    Args:
        ab: (H, W, 2), float or signed integer, in Lab units.

    Returns:
        float, Lab units, 0 for gray; photographs have about 17 on average.

    Raises:
        ImageError: another shape or type, no pixels, or values that are not finite.
    """
    a, b = cv2.split(require_ab(ab).astype(np.float32))
    # Not cv2.magnitude, whose last digit depends on where the array lies in memory.
    return float(np.sqrt(a * a + b * b).mean(dtype=np.float64))
