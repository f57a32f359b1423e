"""Whether the colours of skin, grass and sky are as saturated as people expect them."""

import cv2
import numpy as np

from densecolor.metrics.checks import require_rgb

MIN_SATURATION = 0.1  # of HSL; paler pixels have no hue to speak of
LIGHTNESS = (0.2, 0.8)  # of HSL; darker and lighter pixels neither
# Hues in degrees, and mean and standard deviation of the saturation that observers found natural.
SKIN = ((25, 70), 0.76, 0.52)
GRASS = ((95, 135), 0.81, 0.53)
SKY = ((185, 260), 0.43, 0.22)


def cni(rgb):
    """Colour naturalness index of a picture.

    Pixels with HSL saturation over 0.1 and HSL lightness between 0.2 and 0.8 whose hue is that of skin (25 to 70
    degrees), grass (95 to 135) or sky (185 to 260) form three groups; each group scores
    exp(-((S - m) / s)^2 / 2) with S its mean saturation, and m, s = 0.76, 0.52 (skin), 0.81, 0.53 (grass), 0.43, 0.22
    (sky). The index is the mean of the scores, weighted by the pixels of the groups.

    It judges one picture alone, and knows nothing of what is in it: a green face may count as grass.

    Args:
        rgb: sRGB uint8 (H, W, 3).

    Returns:
        float in [0, 1], higher is more natural; 0 where no pixel belongs to a group.

    Raises:
        ImageError: another type or shape.

    Source:
        Huang K., Wang Q., Wu Z., "Natural color image enhancement and evaluation algorithm based on human visual
        system", CVIU 103(1), 2006, in the form that the released evaluation of SCGAN (Zhao et al., 2021) computes.

    Example:
        >>> cni(np.uint8([[[100, 100, 100]]]))
        0.0
    """
    rgb = require_rgb(rgb, "rgb")
    hue, lightness, saturation = cv2.split(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2HLS))
    coloured = (saturation > MIN_SATURATION) & (lightness > LIGHTNESS[0]) & (lightness < LIGHTNESS[1])
    hue, saturation = hue[coloured], saturation[coloured]
    pixels = score = 0.0
    for (low, high), mean, deviation in (SKIN, GRASS, SKY):
        group = saturation[(hue >= low) & (hue <= high)]
        if len(group):
            pixels += len(group)
            score += len(group) * np.exp(-0.5 * ((group.mean(dtype=np.float64) - mean) / deviation) ** 2)
    return float(score / pixels) if pixels else 0.0
