"""What one shard holds: the single definition that the writer and the reader share."""

import numpy as np

FORMAT = "densecolor-lab"
FORMAT_VERSION = 1
SPLITS = ("train", "validation", "test")
COMPRESSIONS = ("lzf", "gzip", "none")

# Pictures, one chunk each: name -> (type, channels; 0 for no channel axis).
IMAGE_DATASETS = {"L": (np.uint8, 0), "ab": (np.int8, 2), "mask": (np.uint8, 0)}
UNLABELLED = -1


def image_shape(name, image_size):
    """The shape of one picture of dataset `name`: (S, S) or (S, S, 2)."""
    channels = IMAGE_DATASETS[name][1]
    return (image_size, image_size, channels) if channels else (image_size, image_size)


def shard_name(split, index, count):
    """The file name of one shard.

    Example:
        >>> shard_name("train", 0, 12)
        'train-00000-of-00012.h5'
    """
    return f"{split}-{index:05d}-of-{count:05d}.h5"
