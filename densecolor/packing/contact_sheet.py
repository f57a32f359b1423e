"""One picture of many packed ones with the outlines of their masks, for a person to check."""

from pathlib import Path

import cv2
import numpy as np

from densecolor.color import dequantize_lightness
from densecolor.color import lab_to_srgb
from densecolor.errors import ShardError
from densecolor.image_io import write_image
from densecolor.shards import open_dataset
from densecolor.shards import read_manifest

THUMBNAIL_SIDE = 160  # pixels, at most
GAP = 4  # pixels between the thumbnails
PAPER = 128  # neither a black nor a white border of a picture is lost on it
MASK_THRESHOLD = 128

# A bright line on a dark, wider one: one of the two shows on any picture.
OUTLINE = (((0, 0, 0), 3), ((255, 230, 0), 1))


def contact_sheet(lightness, ab, masks=None, columns=8):
    """Draw packed pictures in a grid, each with the outline of its mask.

    Pictures larger than 160 pixels are averaged down, smaller ones shown with whole pixels enlarged. A soft mask is
    outlined where it passes 128.

    Args:
        lightness: uint8 array (N, S, S), as a shard holds it; N at least 1.
        ab: int8 array (N, S, S, 2), likewise.
        masks: uint8 array (N, S, S), likewise, or None.
        columns: pictures in a row, at most.

    Returns:
        uint8 array (H, W, 3), R, G, B.

    Example:
        >>> shard = open_shard("packed/train-00000-of-00001.h5")
        >>> contact_sheet(shard.L[:16], shard.ab[:16], shard.mask[:16]).shape
        (332, 1316, 3)
    """
    count = len(lightness)
    columns = min(columns, count)
    side = _thumbnail_side(lightness.shape[1])
    step = side + GAP
    rows = -(-count // columns)
    sheet = np.full((GAP + rows * step, GAP + columns * step, 3), PAPER, np.uint8)
    for i in range(count):
        row, column = divmod(i, columns)
        top, left = GAP + row * step, GAP + column * step
        thumbnail = _draw_picture(lightness[i], ab[i], side)
        if masks is not None:
            _draw_outline(thumbnail, masks[i])
        sheet[top : top + side, left : left + side] = thumbnail
    return sheet


def write_contact_sheet(folder, path, limit=64, columns=8, overwrite=False):
    """Write a contact sheet of a packed folder, its pictures spread evenly over all splits and shards.

    Args:
        folder: a folder that densecolor-pack made.
        path: where to; the suffix decides the format, ".png" or ".jpg".
        limit: pictures on the sheet, at most; at least 1.
        columns: pictures in a row, at most.
        overwrite: bool; False refuses a path that exists.

    Raises:
        FileNotFoundError: there is no such folder.
        ShardError: it is no packed folder, holds no picture, or is damaged.
        ImageError: the path exists already, or its suffix is not one that can be written.

    Example:
        >>> write_contact_sheet("packed", "masks.png")
    """
    pictures = _evenly_spread(Path(folder), limit)
    masks = [mask for _, _, mask in pictures]
    sheet = contact_sheet(
        np.stack([lightness for lightness, _, _ in pictures]),
        np.stack([ab for _, ab, _ in pictures]),
        None if masks[0] is None else np.stack(masks),
        columns,
    )
    write_image(path, sheet, overwrite=overwrite)


def _thumbnail_side(image_size):
    if image_size >= THUMBNAIL_SIDE:
        return THUMBNAIL_SIDE
    return image_size * (THUMBNAIL_SIDE // image_size)


def _draw_picture(lightness, ab, side):
    lab = np.dstack([dequantize_lightness(lightness), ab.astype(np.float32)])
    rgb = lab_to_srgb(lab, in_gamut=True)
    interpolation = cv2.INTER_AREA if side < len(rgb) else cv2.INTER_NEAREST
    return cv2.resize(rgb, (side, side), interpolation=interpolation)


def _draw_outline(thumbnail, mask):
    side = len(thumbnail)
    interpolation = cv2.INTER_AREA if side < len(mask) else cv2.INTER_NEAREST
    mask = cv2.resize(mask, (side, side), interpolation=interpolation)
    foreground = np.uint8(mask >= MASK_THRESHOLD)
    outlines, _ = cv2.findContours(foreground, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    for color, thickness in OUTLINE:
        cv2.drawContours(thumbnail, outlines, -1, color, thickness)


def _evenly_spread(folder, limit):
    """Up to `limit` pictures of all splits, in order: list of (lightness, ab, mask or None)."""
    manifest = read_manifest(folder)
    total = manifest.count()
    if not total:
        raise ShardError(f"{folder} holds no pictures: nothing to draw.")
    wanted = np.arange(min(limit, total)) * total // min(limit, total)
    pictures, start = [], 0
    for split in manifest.splits:
        packed = open_dataset(folder, split)
        mine = wanted[(wanted >= start) & (wanted < start + packed.count)] - start
        pictures += [_read_picture(packed, int(index)) for index in mine]
        start += packed.count
    return pictures


def _read_picture(packed, index):
    number, place = packed.locate(index)
    shard = packed.shard(number)
    mask = None if shard.mask is None else shard.read("mask", place)
    return shard.read("L", place), shard.read("ab", place), mask
