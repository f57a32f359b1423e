"""How colourful one picture is: to be compared with the truth's, since neither gray nor gaudy is right."""

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
    red, green, blue = np.moveaxis(require_rgb(rgb, "rgb").astype(np.float32), -1, 0)
    opponents = np.stack([red - green, (red + green) / 2 - blue]).reshape(2, -1)
    spread = np.hypot(*opponents.std(axis=1, dtype=np.float64))
    offset = np.hypot(*opponents.mean(axis=1, dtype=np.float64))
    return float(spread + 0.3 * offset)


def mean_chroma(ab):
    """Mean over the pixels of sqrt(a^2 + b^2).

    Args:
        ab: (H, W, 2), float or signed integer, in Lab units.

    Returns:
        float, Lab units, 0 for gray; photographs have about 17 on average.

    Raises:
        ImageError: another shape or type, no pixels, or values that are not finite.
    """
    ab = require_ab(ab).astype(np.float32)
    return float(np.hypot(ab[..., 0], ab[..., 1]).mean(dtype=np.float64))
