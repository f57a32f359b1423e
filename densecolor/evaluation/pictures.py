"""The pictures that are evaluated: read from a packed split, and shown as sRGB."""

from typing import NamedTuple

import numpy as np

from densecolor.color import dequantize_lightness
from densecolor.color import lab_to_srgb


class Picture(NamedTuple):
    """One picture that is evaluated, the truth."""

    key: str
    lightness: np.ndarray  # float32 (H, W), L in [0, 100]
    ab: np.ndarray  # int8 or float32 (H, W, 2)
    label: int  # -1 where unlabelled
    mask: np.ndarray | None = None  # uint8 (H, W)
    rgb: np.ndarray | None = None  # sRGB uint8 (H, W, 3), where it is a file; None: made of L and ab


def to_rgb(lightness, ab):
    """The sRGB uint8 (..., S, S, 3) of L (..., S, S) with ab (..., S, S, 2), brought into the gamut."""
    return lab_to_srgb(np.concatenate([lightness[..., None], ab], axis=-1, dtype=np.float32))


def true_rgb(picture):
    """The picture itself as sRGB uint8 (H, W, 3)."""
    return to_rgb(picture.lightness, picture.ab) if picture.rgb is None else picture.rgb


def read_picture(packed, index, with_mask=False):
    """The `Picture` with this index in a `densecolor.shards.PackedSplit`."""
    number, place = packed.locate(index)
    return Picture(
        key=packed.shard(number).keys[place],
        lightness=dequantize_lightness(packed.read("L", number, place)),
        ab=packed.read("ab", number, place),
        label=packed.label(number, place),
        mask=packed.read("mask", number, place) if with_mask else None,
    )


def spread(count, limit=None):
    """At most `limit` indices out of `count`, evenly spread, so that sorted classes all have their share.

    Example:
        >>> spread(10, 4)
        [0, 2, 5, 7]
    """
    if limit is None or limit >= count:
        return list(range(count))
    return [i * count // limit for i in range(limit)]
