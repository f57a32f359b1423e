"""Open a packed folder: the shards of one split as one sequence of pictures."""

import bisect
import collections
import itertools
import threading
from pathlib import Path

from densecolor.errors import ShardError
from densecolor.shards.manifest import read_manifest
from densecolor.shards.reader import open_shard

MAX_OPEN_SHARDS = 64  # open files at a time; Places has thousands of shards


class PackedSplit:
    """One split of a packed folder, or a single shard; `open_dataset` makes one.

    Shards are opened when they are first needed, so that thousands cost nothing; it can be pickled.

    Attributes:
        paths: list of Path of the shards.
        counts: list of int, images in each.
        split: "train", "validation" or "test".
        image_size: side in pixels.
        class_names: list of str, in label order; empty where the source has no classes.
    """

    def __init__(self, paths, counts, split, image_size, class_names):
        self.paths = paths
        self.counts = counts
        self.split = split
        self.image_size = image_size
        self.class_names = class_names
        self._ends = list(itertools.accumulate(counts))
        self._forget_open_shards()

    @property
    def count(self):
        """The number of images."""
        return self._ends[-1]

    def locate(self, index):
        """The shard's number and the place inside it of the image with this index, in [0, count)."""
        number = bisect.bisect_right(self._ends, index)
        return number, index - (self._ends[number] - self.counts[number])

    def shard(self, number):
        """The open `Shard` with this number; at most 64 are kept open."""
        with self._lock:
            if number in self._open:
                self._open.move_to_end(number)
                return self._open[number]
            shard = open_shard(self.paths[number])
            if (shard.count, shard.image_size) != (self.counts[number], self.image_size):
                raise ShardError(
                    f"{shard.path} holds {shard.count} images of side {shard.image_size}; the manifest says "
                    f"{self.counts[number]} of {self.image_size}. Pack again."
                )
            self._open[number] = shard
            if len(self._open) > MAX_OPEN_SHARDS:
                # Not closed here: another thread may still read from it; the file closes with its last user.
                self._open.popitem(last=False)
            return shard

    def _forget_open_shards(self):
        self._open = collections.OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name not in ("_open", "_lock")}

    def __setstate__(self, state):
        vars(self).update(state)
        self._forget_open_shards()


def open_dataset(path, split="train"):
    """Open one split of a packed folder.

    Args:
        path: a folder that densecolor-pack made, or one .h5 shard.
        split: "train", "validation" or "test"; for a single shard None takes whatever it holds.

    Returns:
        PackedSplit with at least one image.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ShardError: not a packed folder, without that split, or with a shard missing or of another length
            than the manifest says.

    Example:
        >>> packed = open_dataset("packed", "validation")
        >>> packed.count, packed.image_size
        (40, 256)
    """
    path = Path(path)
    if path.is_file():
        return _open_single(path, split)
    manifest = read_manifest(path)
    shards = [shard for shard in manifest.shards if shard.split == split and shard.count]
    if not shards:
        have = ", ".join(f"{name} ({manifest.count(name)})" for name in manifest.splits) or "no image at all"
        raise ShardError(f"{path} has no split {split!r}. It has {have}.")
    for shard in shards:
        file = path / shard.name
        if not file.is_file():
            raise ShardError(f"{file} is missing, though the manifest lists it. Copy it back, or pack again.")
        if file.stat().st_size != shard.bytes:
            raise ShardError(
                f"{file} is damaged: it has {file.stat().st_size} bytes, the manifest says {shard.bytes}. "
                "Copy it again, or pack again."
            )
    return PackedSplit(
        [path / shard.name for shard in shards],
        [shard.count for shard in shards],
        split,
        manifest.image_size,
        manifest.class_names,
    )


def _open_single(path, split):
    with open_shard(path) as shard:
        if not shard.count:
            raise ShardError(f"{path} holds no images.")
        if split not in (None, shard.split):
            raise ShardError(
                f"{path} holds {shard.count} images of split {shard.split!r}, none of {split!r}. "
                f"Ask for split {shard.split!r}."
            )
        return PackedSplit([path], [shard.count], shard.split, shard.image_size, shard.class_names)


def describe(path):
    """Say in a few lines of text what a packed folder or a shard holds.

    Raises:
        FileNotFoundError, ShardError: as `open_dataset`.
    """
    path = Path(path)
    if path.is_file():
        with open_shard(path) as shard:
            labelled = int((shard.labels >= 0).sum())
            return (
                f"{path}: {shard.count} images of {shard.image_size} x {shard.image_size}, split {shard.split}, "
                f"{labelled} labelled, {len(shard.class_names)} classes, "
                f"{'with' if shard.mask is not None else 'without'} masks"
            )
    manifest = read_manifest(path)
    megabytes = sum(shard.bytes for shard in manifest.shards) / 1e6
    lines = [
        f"{path}: {manifest.count()} images of {manifest.image_size} x {manifest.image_size}, "
        f"{len(manifest.class_names)} classes, {len(manifest.shards)} shards, {megabytes:.1f} MB, "
        f"{manifest.rejected} inputs rejected"
    ]
    return "\n".join(lines + [f"  {split}: {manifest.count(split)} images" for split in manifest.splits])
