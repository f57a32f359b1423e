"""Masks made from the picture alone, without any learning."""

import cv2
import numpy as np

from densecolor.image_io import to_8_bits

MIN_CONTRAST = 8  # of 255; what noise and JPEG make of one even colour stays below
KEPT_SHARE = 0.05  # of the largest component's area; dust on a scan and labels at the edge of a slice are smaller

# The longer side at which saliency is computed. OpenCV's windows are of some fixed sizes: on large pictures they see
# edges and texture only, at this size whole things. It also takes a few milliseconds whatever the picture's size.
SALIENCY_SIDE = 256


def otsu_mask(pixels):
    """Tell foreground from an even background, such as a medical image on black or a scan on white.

    The background is the median colour of the picture's border. Otsu's threshold (Otsu, "A threshold selection method
    from gray-level histograms", 1979) parts the pixels by their difference from it, the largest among the channels.
    Of the foreground's components those with at least 5% of the largest one's area are kept, their holes filled.

    Args:
        pixels: uint8 or uint16, (H, W) gray or (H, W, 3) sRGB.

    Returns:
        uint8 array (H, W), 255 in the foreground and 0 in the background. A picture without contrast (no pixel differs
        from the border by 8 of 255 or more) is foreground everywhere.

    Example:
        >>> mask = otsu_mask(read_image("21_training.tif").pixels)
        >>> float((mask == 255).mean().round(2))
        0.68
    """
    difference = _difference_from_border(to_8_bits(pixels))
    if difference.max() < MIN_CONTRAST:
        return np.full(difference.shape, 255, np.uint8)
    foreground = cv2.threshold(difference, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1]
    return _fill_holes(_keep_largest(foreground))


def saliency_mask(pixels):
    """Weigh each pixel by how much it stands out from its surroundings.

    The static fine-grained saliency of `cv2.saliency` (Montabone and Soto, "Human detection using a mobile platform
    and novel features derived from a visual saliency mechanism", 2010), computed at no more than 256 pixels a side; a
    pixel has the largest value among R, G and B, since a red thing on green may have the lightness of what surrounds
    it. On photographs of single things before a calm background it fills much of the thing and follows its outline,
    where the spectral residual of the same module marks blurred spots on its edges; on busy ones both mark texture.

    Args:
        pixels: uint8 or uint16, (H, W) gray or (H, W, 3) sRGB.

    Returns:
        uint8 array (H, W), stretched so that the least salient pixel is 0 and the most salient one 255. Where nothing
        stands out, as in a picture of one colour, all pixels are 255.

    Example:
        >>> saliency_mask(np.zeros((2, 3), np.uint8)).tolist()
        [[255, 255, 255], [255, 255, 255]]
    """
    height, width = pixels.shape[:2]
    scale = min(1, SALIENCY_SIDE / max(height, width))
    small_size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(to_8_bits(pixels), small_size, interpolation=cv2.INTER_AREA)
    model = cv2.saliency.StaticSaliencyFineGrained_create()
    saliency = np.max([model.computeSaliency(channel)[1] for channel in cv2.split(small)], axis=0)
    if saliency.min() == saliency.max():
        return np.full((height, width), 255, np.uint8)
    stretched = cv2.normalize(saliency, None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    return cv2.resize(stretched, (width, height), interpolation=cv2.INTER_LINEAR)


def _difference_from_border(pixels):
    """How far each pixel's colour is from the border's median: uint8 (H, W), the largest among the channels."""
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    background = np.median(border, axis=0).astype(np.uint8)
    difference = cv2.absdiff(pixels, np.broadcast_to(background, pixels.shape).copy())
    return difference if difference.ndim == 2 else difference.max(axis=-1)


def _keep_largest(foreground):
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(foreground)
    areas = statistics[:, cv2.CC_STAT_AREA]
    areas[0] = 0  # the background
    return np.where(areas >= KEPT_SHARE * areas.max(), 255, 0).astype(np.uint8)[labels]


def _fill_holes(foreground):
    outlines, _ = cv2.findContours(foreground, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    return cv2.drawContours(foreground, outlines, -1, 255, cv2.FILLED)
