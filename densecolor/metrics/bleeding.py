"""Whether colours end where things end. A measure of our own: papers ask people."""

import cv2
import numpy as np

from densecolor.errors import ImageError
from densecolor.metrics.checks import require_ab

EDGE = 10.0  # L a pixel: what counts as a strong edge
NEAR, FAR = 2.0, 6.0  # pixels from the edge, to either side
STEP = 10.0  # Lab units: what counts as a change of colour from one side to the other


def color_bleeding(lightness, ab):
    """Share of the change of colour across strong lightness edges that does not happen at the edge.

    Edges are the pixels whose L changes by 10 or more a pixel (Sobel), and more than beside them across the edge.
    Straight across each, a and b are read (bilinearly) 2 and 6 pixels away on both sides. Where the colours 6 pixels
    away differ by 10 Lab units or more, colour changes there; with N the distance of the colours 2 pixels
    away and W that of the colours 6 pixels away, the measure is 1 - sum(min(N, W)) / sum(W) over all such places.

    It needs no truth. 0 is colour that changes exactly at the edge, 1 colour that changes elsewhere only. The truth
    itself has a little (soft shadows, thin things); a picture with less colour is neither better nor worse.

    Args:
        lightness: L in [0, 100], float (H, W).
        ab: a and b in Lab units, float or signed integer (H, W, 2).

    Returns:
        float in [0, 1], lower is better, the truth's is what to compare with; NaN where no colour changes across a
        strong edge, as in gray and in one-coloured pictures.

    Raises:
        ImageError: another shape or type, no pixels, or values that are not finite.

    Example:
        >>> x = np.arange(40)
        >>> lightness = np.tile(np.where(x < 20, 20.0, 80.0), (40, 1))
        >>> ab = np.stack(np.broadcast_arrays(np.clip(4.0 * (x - 20), -32, 32), np.zeros((40, 40))), axis=-1)
        >>> round(color_bleeding(lightness, ab), 2)
        0.67
    """
    lightness, ab = np.asarray(lightness, np.float32), require_ab(ab).astype(np.float32)
    if lightness.shape != ab.shape[:2] or not np.isfinite(lightness).all():
        raise ImageError(
            "`lightness` must be finite and have the height and width of `ab`. "
            f"Received: lightness.shape={lightness.shape}, ab.shape={ab.shape}."
        )
    dx = cv2.Sobel(lightness, cv2.CV_32F, 1, 0, scale=1 / 8)
    dy = cv2.Sobel(lightness, cv2.CV_32F, 0, 1, scale=1 / 8)
    strength = np.sqrt(dx * dx + dy * dy)
    y, x = np.nonzero(strength >= EDGE)
    if not len(y):
        return float("nan")
    across_x, across_y = dx[y, x] / strength[y, x], dy[y, x] / strength[y, x]

    def beside(values, distance):
        map_x, map_y = x + distance * across_x, y + distance * across_y
        return _read(values, map_x.astype(np.float32), map_y.astype(np.float32))

    # Of a soft edge only the ridge counts.
    ridge = (strength[y, x] >= beside(strength, -1)) & (strength[y, x] > beside(strength, 1))
    y, x, across_x, across_y = y[ridge], x[ridge], across_x[ridge], across_y[ridge]
    if not len(y):
        return float("nan")
    near = np.linalg.norm(beside(ab, NEAR) - beside(ab, -NEAR), axis=-1)
    far = np.linalg.norm(beside(ab, FAR) - beside(ab, -FAR), axis=-1)
    changes = far >= STEP
    if not changes.any():
        return float("nan")
    near, far = near[changes].astype(np.float64), far[changes].astype(np.float64)
    return float(1 - np.minimum(near, far).sum() / far.sum())


def _read(values, x, y):
    """Values at places between pixels, bilinearly; beyond the picture those of its border."""
    height, width = values.shape[:2]
    x, y = np.clip(x, 0, width - 1), np.clip(y, 0, height - 1)
    left, top = np.floor(x).astype(np.intp), np.floor(y).astype(np.intp)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    tail = (...,) + (None,) * (values.ndim - 2)
    x, y = (x - left)[tail], (y - top)[tail]
    above = values[top, left] * (1 - x) + values[top, right] * x
    below = values[bottom, left] * (1 - x) + values[bottom, right] * x
    return above * (1 - y) + below * y
