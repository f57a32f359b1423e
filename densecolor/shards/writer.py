"""Write one shard: pictures are compressed in blocks, by any process, and appended in order by one.

Compressing is what packing costs most, so `encode_block` runs HDF5's own filters in a worker process on a small
file in memory and hands on the finished chunks; `ShardWriter` only puts those bytes into place.
"""

import dataclasses
import io
import json
import os
from pathlib import Path

import h5py
import numpy as np

import densecolor
from densecolor.errors import ShardError
from densecolor.shards.manifest import ShardInfo
from densecolor.shards.manifest import sha256_of
from densecolor.shards.schema import COMPRESSIONS
from densecolor.shards.schema import FORMAT
from densecolor.shards.schema import FORMAT_VERSION
from densecolor.shards.schema import IMAGE_DATASETS
from densecolor.shards.schema import image_shape

COPY_BLOCK = 64  # images copied at once when a contiguous shard is trimmed


@dataclasses.dataclass(frozen=True)
class Block:
    """Consecutive pictures of one shard, encoded; small enough to send between processes.

    Attributes:
        keys: the pictures' paths inside their source.
        labels: int32 (n,), class indices, -1 where unlabelled.
        original_sizes: int32 (n, 2), height and width before fitting.
        images: by dataset name, an array (n, ...) where `compression` is "none", else n chunks, each a
            pair of HDF5's filter mask and the bytes.
    """

    keys: list
    labels: np.ndarray
    original_sizes: np.ndarray
    images: dict


def encode_block(keys, labels, original_sizes, lightness, ab, mask=None, compression="lzf"):
    """Encode pictures as a shard stores them.

    Args:
        keys: n strings.
        labels: n class indices, -1 where unlabelled.
        original_sizes: n pairs (height, width).
        lightness: uint8 (n, S, S).
        ab: int8 (n, S, S, 2).
        mask: uint8 (n, S, S), or None.
        compression: "lzf", "gzip" or "none"; must be that of the `ShardWriter`.

    Returns:
        Block.
    """
    images = {"L": lightness, "ab": ab} | ({} if mask is None else {"mask": mask})
    if compression != "none":
        images = {name: _compress(array, compression) for name, array in images.items()}
    return Block(list(keys), np.asarray(labels, np.int32), np.asarray(original_sizes, np.int32).reshape(-1, 2), images)


def _compress(array, compression):
    if not len(array):  # every picture of the block was rejected, and HDF5 wants chunks no larger than the data
        return []
    # In memory, and without a chunk cache, which would only copy.
    with h5py.File("block", "w", driver="core", backing_store=False, rdcc_nbytes=0) as file:
        dataset = file.create_dataset(
            "images", data=array, chunks=(1, *array.shape[1:]), compression=compression, fletcher32=True
        )
        first_pixel = (0,) * (array.ndim - 1)
        return [dataset.id.read_direct_chunk((i, *first_pixel)) for i in range(len(array))]


class _DeferringStorage(io.FileIO):
    """A file that keeps a failed write to itself, as `error`, and lets all later ones vanish.

    HDF5 may crash where a write fails while it closes a file, so it must not notice that the disk is full.
    """

    error = None

    def write(self, data):
        rest = memoryview(data).cast("B")
        while rest and self.error is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self.error = error
        return len(data)

    def truncate(self, size=None):
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size


class _ShardFile(h5py.File):
    """An HDF5 file that says with `check` whether all that was written so far could be."""

    def __init__(self, path, mode):
        self._storage = _DeferringStorage(path, "r+" if mode == "r+" else "w+")
        super().__init__(self._storage, mode, libver=("earliest", "v110"))

    def close(self):
        super().close()
        self._storage.close()

    def check(self):
        """Raise ShardError if a write has failed."""
        error = self._storage.error
        if error is not None:
            raise ShardError(f"{self._storage.name} cannot be written: {error.strerror}. Is the disk full?") from error


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
        with_mask: whether blocks carry masks.

    Attributes:
        info: `ShardInfo` for the manifest, once the shard is finished.

    Raises:
        ShardError: unknown compression, a block that does not belong (too many pictures, another size), or a disk
            that takes no more.

    Example:
        >>> with ShardWriter("train-00000-of-00001.h5", capacity=8, image_size=64, split="train") as writer:
        ...     writer.append(encode_block(["cat.jpg"], [-1], [(300, 451)], lightness, ab))
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
        self.info = None
        self._partial_path = self.path.with_name(f"{self.path.name}.partial")
        self._trimmed_path = self.path.with_name(f"{self.path.name}.trimmed.partial")
        self._capacity = capacity
        self._image_size = image_size
        self._split = split
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
        self._blocks_seen = []
        self._count = 0

    def __enter__(self):
        self._file = self._create(self._partial_path, self._capacity)
        return self

    def append(self, block):
        """Add the pictures of a `Block` after those that are there."""
        end = self._count + len(block.keys)
        if end > self._capacity:
            raise ShardError(f"{self.path} has room for {self._capacity} images. Received: {end}.")
        for name in self._names:
            dataset, images = self._file[name], block.images[name]
            if self._compression == "none":
                dataset[self._count : end] = images
            else:
                first_pixel = (0,) * len(image_shape(name, self._image_size))
                for i, (filter_mask, chunk) in enumerate(images, self._count):
                    dataset.id.write_direct_chunk((i, *first_pixel), chunk, filter_mask)
        self._file.check()
        self._blocks_seen.append((block.keys, block.labels, block.original_sizes))
        self._count = end

    def __exit__(self, error_type, error, traceback):
        try:
            if error_type is None:
                self._finish()
        finally:
            self._file.close()
            self._partial_path.unlink(missing_ok=True)
            self._trimmed_path.unlink(missing_ok=True)

    def _finish(self):
        self._fit_to_count()
        self._write_records()
        self._file.close()
        self._file.check()
        with open(self._partial_path, "rb") as file:
            os.fsync(file.fileno())
        self.info = ShardInfo(
            name=self.path.name,
            split=self._split,
            count=self._count,
            bytes=self._partial_path.stat().st_size,
            sha256=sha256_of(self._partial_path),
        )
        os.replace(self._partial_path, self.path)
        _sync_folder(self.path.parent)

    def _create(self, path, capacity):
        file = _ShardFile(path, "w")
        for name, value in self._attributes.items():
            file.attrs[name] = value
        for name in self._names:
            shape = image_shape(name, self._image_size)
            chunked = {
                "chunks": (1, *shape),
                "maxshape": (None, *shape),
                "compression": self._compression,
                "fletcher32": True,
            }
            layout = {} if self._compression == "none" else chunked
            file.create_dataset(name, (capacity, *shape), IMAGE_DATASETS[name][0], **layout)
        return file

    def _fit_to_count(self):
        """Give back the room that rejected pictures left."""
        if self._count == self._capacity:
            return
        if self._compression != "none":
            for name in self._names:
                self._file[name].resize(self._count, axis=0)
            return
        # A contiguous dataset cannot shrink, so the pictures move to a file of the right size.
        with self._create(self._trimmed_path, self._count) as trimmed:
            for name in self._names:
                for start in range(0, self._count, COPY_BLOCK):
                    stop = min(start + COPY_BLOCK, self._count)
                    trimmed[name][start:stop] = self._file[name][start:stop]
        trimmed.check()
        self._file.close()
        os.replace(self._trimmed_path, self._partial_path)
        self._file = _ShardFile(self._partial_path, "r+")

    def _write_records(self):
        keys = [key.encode() for block_keys, _, _ in self._blocks_seen for key in block_keys]
        longest = max(map(len, keys), default=1) or 1
        self._file.create_dataset("key", data=np.array(keys, h5py.string_dtype("utf-8", longest)))
        labels = [labels for _, labels, _ in self._blocks_seen]
        sizes = [sizes for _, _, sizes in self._blocks_seen]
        checked = {} if self._compression == "none" or not self._count else {"fletcher32": True}
        self._file.create_dataset(
            "label", data=np.concatenate([np.zeros(0, np.int32), *labels]), dtype=np.int32, **checked
        )
        self._file.create_dataset(
            "original_size",
            data=np.concatenate([np.zeros((0, 2), np.int32), *sizes]),
            dtype=np.int32,
            **checked,
        )


def _sync_folder(folder):
    """Make a rename durable: the folder's own entry must reach the disk too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
