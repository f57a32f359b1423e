"""What the metrics ask of their pictures."""

import numpy as np

from densecolor.errors import ImageError


def require_rgb(rgb, name):
    """The array as it came, if it is a picture of sRGB uint8, (H, W, 3)."""
    rgb = np.asarray(rgb)
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[-1] != 3 or rgb.size == 0:
        raise ImageError(
            f"`{name}` must be sRGB uint8 of shape (H, W, 3), with pixels in it. "
            f"Received: dtype={rgb.dtype}, shape={rgb.shape}."
        )
    return np.ascontiguousarray(rgb)


def require_rgb_pair(rgb_true, rgb_pred):
    """Both pictures, if they are sRGB uint8 of one shape."""
    rgb_true = require_rgb(rgb_true, "rgb_true")
    rgb_pred = require_rgb(rgb_pred, "rgb_pred")
    if rgb_true.shape != rgb_pred.shape:
        raise ImageError(
            "Both pictures must have the same shape. "
            f"Received: rgb_true.shape={rgb_true.shape}, rgb_pred.shape={rgb_pred.shape}."
        )
    return rgb_true, rgb_pred


def require_ab(ab):
    """The array as it came, if it holds finite a and b in Lab units, (H, W, 2)."""
    ab = np.asarray(ab)
    if ab.dtype.kind not in "fi" or ab.ndim != 3 or ab.shape[-1] != 2 or ab.size == 0:
        raise ImageError(
            "`ab` must be a and b in Lab units, floats or signed integers of shape (H, W, 2), with pixels in "
            f"it. Received: dtype={ab.dtype}, shape={ab.shape}."
        )
    if ab.dtype.kind == "f" and not np.isfinite(ab).all():
        raise ImageError("`ab` holds NaN or infinite values; the model that predicted it has diverged.")
    return ab
