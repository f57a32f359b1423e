"""Open one shard and check that it is one."""

import json
from pathlib import Path

import h5py
import numpy as np

from densecolor.errors import ShardError
from densecolor.shards.manifest import check_format
from densecolor.shards.schema import IMAGE_DATASETS
from densecolor.shards.schema import image_shape


class Shard:
    """An open shard; `open_shard` makes one.

    Index `L`, `ab` and `mask` with one integer or a slice, never with a list of indices, which HDF5 answers many
    times slower.

    Attributes:
        path: Path.
        count: number of images N.
        image_size: side S in pixels.
        split: "train", "validation" or "test".
        class_names: list of str, in label order.
        options: dict, the packing options.
        L: uint8 (N, S, S), L * 255 / 100; memory-mapped where it is contiguous, an HDF5 dataset otherwise.
        ab: int8 (N, S, S, 2), likewise.
        mask: uint8 (N, S, S), likewise, or None.
        labels: int32 (N,), -1 where unlabelled.
        original_sizes: int32 (N, 2), height and width before fitting.
        keys: list of N str, paths inside the source.
    """

    def __init__(self, path, file):
        self.path = path
        self._file = file
        attributes = file.attrs
        check_format(path, attributes.get("format"), attributes.get("format_version"))
        self.image_size = int(attributes["image_size"])
        self.split = attributes["split"]
        self.class_names = json.loads(attributes["class_names"])
        self.options = json.loads(attributes["options"])
        self.count = len(self._dataset("L"))
        self.L = self._images("L")
        self.ab = self._images("ab")
        self.mask = self._images("mask") if "mask" in file else None
        self.labels = self._records("label", np.int32, (self.count,))
        self.original_sizes = self._records("original_size", np.int32, (self.count, 2))
        self.keys = [key.decode() for key in self._dataset("key")[:]]
        if len(self.keys) != self.count:
            raise ShardError(f"{path} is damaged: {len(self.keys)} keys for {self.count} images.")

    def read(self, name, index):
        """One picture of "L", "ab" or "mask".

        Raises:
            ShardError: its checksum is wrong; the message names the shard and the picture.
        """
        try:
            return getattr(self, name)[index]
        except OSError as error:
            raise ShardError(
                f"{self.path} is damaged: {name!r} of image {index} ({self.keys[index]}) cannot be read ({error}). "
                "Copy the shard again, or pack again."
            ) from None

    def stored(self, name):
        """The HDF5 dataset of "L", "ab" or "mask" itself, also where it is memory-mapped."""
        return self._dataset(name)

    def close(self):
        """Close the file."""
        self._file.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def _dataset(self, name):
        # A link or external storage could make a shard from elsewhere read other files of this machine.
        link = self._file.get(name, getlink=True)
        dataset = self._file[name] if isinstance(link, h5py.HardLink) else None
        if not isinstance(dataset, h5py.Dataset) or dataset.external or dataset.is_virtual:
            raise ShardError(f"{self.path} is damaged or foreign: {name!r} is not a dataset of its own.")
        return dataset

    def _images(self, name):
        dataset = self._dataset(name)
        self._check(name, dataset, IMAGE_DATASETS[name][0], (self.count, *image_shape(name, self.image_size)))
        if dataset.chunks or not self.count:
            return dataset
        return np.memmap(self.path, dataset.dtype, "r", offset=dataset.id.get_offset(), shape=dataset.shape)

    def _records(self, name, dtype, shape):
        dataset = self._dataset(name)
        self._check(name, dataset, dtype, shape)
        return dataset[:]

    def _check(self, name, dataset, dtype, shape):
        if dataset.dtype != dtype or dataset.shape != shape:
            raise ShardError(
                f"{self.path} is damaged: {name!r} is {dataset.dtype} {dataset.shape}, "
                f"expected {np.dtype(dtype)} {shape}."
            )


def open_shard(path):
    """Open one shard for reading and check its structure.

    Args:
        path: an .h5 file written by densecolor.

    Returns:
        Shard; close it, or use it in a `with` statement.

    Raises:
        FileNotFoundError: there is no such file.
        ShardError: the file is truncated, no HDF5, foreign, or of a newer version; the message names it.

    Example:
        >>> with open_shard("packed/train-00000-of-00001.h5") as shard:
        ...     print(shard.count, shard.ab[0].shape)
        760 (256, 256, 2)
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"There is no shard {path}.")
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise ShardError(f"{path} is not a whole HDF5 file ({reason}). Pack it again.") from None
    try:
        return Shard(path, file)
    except ShardError:
        file.close()
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        file.close()
        raise ShardError(f"{path} is damaged or foreign ({error}). Pack it again.") from None
