"""Single pictures of a packed split, as they are stored."""

from typing import NamedTuple

import numpy as np

from densecolor.shards import open_dataset


class Record(NamedTuple):
    """One packed picture."""

    key: str  # path inside its source
    L: np.ndarray  # uint8 (S, S), L * 255 / 100
    ab: np.ndarray  # int8 (S, S, 2)
    label: int  # class index, -1 where unlabelled
    mask: np.ndarray | None  # uint8 (S, S)
    original_size: tuple  # height, width before fitting


def iterate(path, split="train", classes=None):
    """Yield every picture of a split in the order of the shards.

    Args:
        path: a packed folder, or one .h5 shard.
        split: "train", "validation" or "test".
        classes: names of the classes whose pictures to give, and whose order gives the labels; None for all.

    Yields:
        Record.

    Raises:
        FileNotFoundError, ShardError: as `densecolor.shards.open_dataset`.

    Example:
        >>> [record.key for record in iterate("packed", "validation")][:2]
        ['n01443537/goldfish.JPEG', 'n02123045/tabby.JPEG']
    """
    packed = open_dataset(path, split, classes)
    for index in range(packed.count):
        number, place = packed.locate(index)
        shard = packed.shard(number)
        yield Record(
            key=shard.keys[place],
            L=shard.read("L", place),
            ab=shard.read("ab", place),
            label=packed.label(number, place),
            mask=None if shard.mask is None else shard.read("mask", place),
            original_size=tuple(shard.original_sizes[place].tolist()),
        )
