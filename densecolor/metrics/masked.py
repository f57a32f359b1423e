"""Pictures of which only a part matters: put on a plain background, or compared inside a mask."""

import math

import numpy as np

from densecolor.errors import ImageError
from densecolor.metrics.checks import require_rgb
from densecolor.metrics.checks import require_rgb_pair
from densecolor.metrics.structure import WINDOW
from densecolor.metrics.structure import ssim_map


def composite(rgb, mask, background):
    """Put a picture's foreground on a plain background: mask * picture + (1 - mask) * background, rounded.

    Args:
        rgb: sRGB uint8 (H, W, 3).
        mask: uint8 (H, W): 255 foreground, 0 background, in between a mixture (of sRGB values).
        background: three ints in [0, 255], R, G, B.

    Returns:
        sRGB uint8 (H, W, 3).

    Raises:
        ImageError: another type or shape.

    Source:
        Zhang Z., Li Y., Shin B.-S., "Robust Medical Image Colorization with Spatial Mask-Guided Generative Adversarial
        Network", Bioengineering 9(12), 2022, compares slices on black and on white so.

    Example:
        >>> composite(np.uint8([[[10, 20, 30], [10, 20, 30]]]), np.uint8([[255, 0]]), (255, 255, 255)).tolist()
        [[[10, 20, 30], [255, 255, 255]]]
    """
    rgb = require_rgb(rgb, "rgb")
    weight = _require_mask(mask, rgb).astype(np.uint16)[..., None]
    mixed = rgb * weight + (255 - weight) * np.uint16(background)
    return ((mixed + 127) // 255).astype(np.uint8)


def masked_errors(rgb_true, rgb_pred, mask):
    """MAE, PSNR and SSIM over the foreground alone, each pixel weighing as much as its mask says.

    SSIM is the mean of `densecolor.metrics.ssim_map`, weighted by the mask at the middle of each window.

    Args:
        rgb_true: sRGB uint8 (H, W, 3).
        rgb_pred: sRGB uint8 (H, W, 3).
        mask: uint8 (H, W).

    Returns:
        dict of "mae" (white at 1), "psnr" (dB; infinity for equal pictures) and "ssim"; NaN where the mask is empty,
        and for SSIM where it is empty farther than 3 pixels from the border.

    Raises:
        ImageError: another type or shape, or a side under 7 pixels.
    """
    rgb_true, rgb_pred = require_rgb_pair(rgb_true, rgb_pred)
    weights = _require_mask(mask, rgb_true).astype(np.float64)
    difference = rgb_true.astype(np.int32) - rgb_pred
    absolute = _weighted_mean(np.abs(difference).sum(axis=-1), weights) / (3 * 255)
    square = _weighted_mean(np.square(difference).sum(axis=-1), weights) / (3 * 255**2)
    psnr = math.inf if square == 0 else -10 * math.log10(square)
    margin = WINDOW // 2
    inner = weights[margin:-margin, margin:-margin]
    return {"mae": absolute, "psnr": psnr, "ssim": _weighted_mean(ssim_map(rgb_true, rgb_pred), inner)}


def _weighted_mean(values, weights):
    total = weights.sum()
    return float((values * weights).sum() / total) if total else math.nan


def _require_mask(mask, rgb):
    mask = np.asarray(mask)
    if mask.dtype != np.uint8 or mask.shape != rgb.shape[:2]:
        raise ImageError(
            f"`mask` must be uint8 of the picture's height and width, {rgb.shape[:2]}. "
            f"Received: dtype={mask.dtype}, shape={mask.shape}."
        )
    return mask
