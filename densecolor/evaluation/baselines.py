"""The rows that every model must beat."""

from pathlib import Path

import numpy as np

from densecolor.errors import ShardError
from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import MEAN_COLOUR
from densecolor.evaluation.pictures import read_picture
from densecolor.evaluation.pictures import spread
from densecolor.evaluation.systems import System
from densecolor.shards import open_dataset
from densecolor.shards import read_manifest

MEAN_OF = 2_000  # pictures; the mean of more would not move by a tenth of a Lab unit


def baselines(data, packed, skip_damaged=False):
    """No colour, and the mean colour everywhere.

    Args:
        data: the packed folder or shard; the mean is that of its training split where it has one.
        packed: the opened split that is evaluated; otherwise the mean is that of it.
        skip_damaged: leave pictures that cannot be read out of the mean.

    Returns:
        list of two System.
    """
    split, mean, count = _mean_ab(data, packed, skip_damaged)
    about = {"ab": mean.round(3).tolist(), "from_split": split, "pictures": count}
    return [
        System(GRAYSCALE, lambda lightness: (_constant(lightness, (0, 0)), None), {"kind": "baseline"}),
        System(MEAN_COLOUR, lambda lightness: (_constant(lightness, mean), None), {"kind": "baseline", **about}),
    ]


def _constant(lightness, ab):
    return np.broadcast_to(np.float32(ab), (*lightness.shape, 2))


def _mean_ab(data, packed, skip_damaged):
    """Where the mean colour is from (split), the colour, and of how many pictures it is the mean."""
    source = packed
    if Path(data).is_dir() and "train" in read_manifest(data).splits:
        source = open_dataset(data, "train", on_damage=(lambda reason: None) if skip_damaged else None)
    means = []
    for index in spread(source.count, MEAN_OF):
        try:
            means.append(read_picture(source, index).ab.mean(axis=(0, 1)))
        except ShardError:
            if not skip_damaged:
                raise
    return source.split, np.mean(means, axis=0) if means else np.zeros(2), len(means)
