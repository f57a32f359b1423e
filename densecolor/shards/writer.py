"""Write one shard: in one go, or from parts that other processes have written."""

import json
import os
from pathlib import Path

import h5py
import numpy as np

import densecolor
from densecolor.atomic import partial_path
from densecolor.errors import ShardError
from densecolor.shards.schema import COMPRESSIONS
from densecolor.shards.schema import FORMAT
from densecolor.shards.schema import FORMAT_VERSION
from densecolor.shards.schema import IMAGE_DATASETS
from densecolor.shards.schema import image_shape
from densecolor.shards.storage import ShardFile


class ShardWriter:
    """Write one shard; it appears under its final name when the `with` block ends well, and not otherwise.

    Args:
        path: the final path.
        capacity: how many pictures may come; fewer are fine.
        image_size: side S in pixels.
        split: "train", "validation" or "test".
        class_names: names of the classes, in label order; empty without classes.
        options: the packing options, to be read again by people; anything that JSON holds.
        compression: "lzf", "gzip" or "none".
        with_mask: whether the pictures have masks.

    Attributes:
        count: pictures written so far.
        partial_path: Path of the file until it is finished.

    Raises:
        ShardError: unknown compression, too many pictures, or a disk that takes no more.

    Example:
        >>> with ShardWriter("train-00000-of-00001.h5", capacity=8, image_size=64, split="train") as writer:
        ...     writer.append(["cat.jpg"], [-1], [(300, 451)], lightness, ab)
    """

    def __init__(
        self,
        path,
        *,
        capacity,
        image_size,
        split,
        class_names=(),
        options=None,
        compression="lzf",
        with_mask=False,
    ):
        if compression not in COMPRESSIONS:
            raise ShardError(f"Unknown compression={compression!r}. Choose from {', '.join(COMPRESSIONS)}.")
        self.path = Path(path)
        self.count = 0
        self.partial_path = partial_path(self.path)
        self._capacity = capacity
        self._image_size = image_size
        self._compression = compression
        self._names = ["L", "ab"] + (["mask"] if with_mask else [])
        self._attributes = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "image_size": image_size,
            "split": split,
            "class_names": json.dumps(list(class_names), ensure_ascii=False),
            "options": json.dumps(options or {}, ensure_ascii=False, sort_keys=True),
            "densecolor_version": densecolor.__version__,
        }
        self._keys = []
        self._labels = []
        self._original_sizes = []

    def __enter__(self):
        self._file = ShardFile(self.partial_path)
        for name, value in self._attributes.items():
            self._file.attrs[name] = value
        for name in self._names:
            self._create(name, self._capacity)
        return self

    def append(self, keys, labels, original_sizes, lightness, ab, mask=None):
        """Add pictures after those that are there.

        Args:
            keys: n strings, the pictures' paths inside their source.
            labels: n class indices, -1 where unlabelled.
            original_sizes: n pairs (height, width), before fitting.
            lightness: uint8 (n, S, S).
            ab: int8 (n, S, S, 2).
            mask: uint8 (n, S, S) if the shard has masks.
        """
        start, end = self._make_room(len(keys))
        for name, images in zip(self._names, (lightness, ab, mask), strict=False):
            self._file[name][start:end] = images
        self._add_records(keys, labels, original_sizes)

    def append_shard(self, shard):
        """Add all pictures of an open `Shard` of the same size and compression, as they are stored."""
        start, end = self._make_room(shard.count)
        for name in self._names:
            target, images = self._file[name].id, getattr(shard, name)
            if self._compression == "none":
                self._file[name][start:end] = images
            else:
                first_pixel = (0,) * len(image_shape(name, self._image_size))
                for i in range(end - start):
                    filter_mask, chunk = images.id.read_direct_chunk((i, *first_pixel))
                    target.write_direct_chunk((start + i, *first_pixel), chunk, filter_mask)
        self._add_records(shard.keys, shard.labels, shard.original_sizes)

    def __exit__(self, error_type, error, traceback):
        try:
            if error_type is None:
                self._finish()
        finally:
            self._file.close()
            self.partial_path.unlink(missing_ok=True)

    def _make_room(self, count):
        end = self.count + count
        if end > self._capacity:
            raise ShardError(f"{self.path} has room for {self._capacity} images. Received: {end}.")
        return self.count, end

    def _add_records(self, keys, labels, original_sizes):
        self._file.check()
        self._keys += [key.encode() for key in keys]
        self._labels += list(labels)
        self._original_sizes += list(original_sizes)
        self.count += len(keys)

    def _finish(self):
        self._fit_to_count()
        self._write_records()
        self._file.close()
        self._file.check()
        os.replace(self.partial_path, self.path)

    def _create(self, name, capacity):
        shape = image_shape(name, self._image_size)
        creation = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        if self._compression == "none":
            creation.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            creation.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
            layout = {}
        else:
            maximum = (None, *shape)
            layout = {"chunks": (1, *shape), "maxshape": maximum, "compression": self._compression, "fletcher32": True}
        return self._file.create_dataset(name, (capacity, *shape), IMAGE_DATASETS[name][0], dcpl=creation, **layout)

    def _fit_to_count(self):
        """Give back the room that rejected pictures left."""
        if self.count == self._capacity:
            return
        for name in self._names:
            if self._compression == "none":
                self._shorten(name)
            else:
                self._file[name].resize(self.count, axis=0)

    def _shorten(self, name):
        """Let a contiguous dataset, which HDF5 cannot shrink, begin where it did and end earlier.

        A new one, created after the old one was deleted, gets the old one's place, pictures and all.
        """
        place = self._file[name].id.get_offset()
        del self._file[name]
        shortened = self._create(name, self.count)
        if self.count and shortened.id.get_offset() != place:
            raise ShardError(
                f"{self.path} cannot be shortened: HDF5 {h5py.version.hdf5_version} has given {name!r} another place. "
                "Use another compression than 'none', and please report this."
            )

    def _write_records(self):
        longest = max(map(len, self._keys), default=1) or 1
        checked = {} if self._compression == "none" or not self.count else {"fletcher32": True}
        self._file.create_dataset("key", data=np.array(self._keys, h5py.string_dtype("utf-8", longest)))
        self._file.create_dataset("label", data=np.array(self._labels, np.int32), **checked)
        sizes = np.array(self._original_sizes, np.int32).reshape(-1, 2)
        self._file.create_dataset("original_size", data=sizes, **checked)
