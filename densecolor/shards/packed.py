"""Open a packed folder: the shards of one split as one sequence of pictures."""

import bisect
import difflib
import functools
import itertools
from pathlib import Path

import numpy as np

from densecolor.errors import ShardError
from densecolor.shards.direct import Descriptor
from densecolor.shards.direct import ShardIndex
from densecolor.shards.manifest import read_manifest
from densecolor.shards.open_files import OpenFiles
from densecolor.shards.reader import open_shard
from densecolor.shards.schema import IMAGE_DATASETS
from densecolor.shards.schema import UNLABELLED
from densecolor.shards.schema import image_shape

SUGGESTIONS = 5  # class names that an error lists
MAX_DESCRIPTORS = 256  # of 1024 that a process usually may have


class PackedSplit:
    """One split of a packed folder, or a single shard; `open_dataset` makes one.

    Shards are opened when they are first needed, so that thousands cost nothing; it can be pickled.

    Attributes:
        paths: list of Path of the shards.
        counts: list of int, images in each file.
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
        self._places = [range(count) for count in counts]  # of the chosen pictures inside their shards
        self._new_labels = None  # indexed by the stored ones, -1 included; None where they stay
        self._ends = list(itertools.accumulate(counts))
        self._shards = OpenFiles(functools.partial(_open_listed, paths, counts, image_size))
        self._descriptors = OpenFiles(functools.partial(_open_descriptor, paths), MAX_DESCRIPTORS)
        # Kept for all shards: 30 bytes a picture, where opening a shard again takes longer than reading a batch.
        self._indices = OpenFiles(functools.partial(_index_listed, paths, counts, image_size), None)

    @property
    def count(self):
        """The number of images."""
        return self._ends[-1]

    def locate(self, index):
        """The shard's number and the place inside it of the image with this index, in [0, count)."""
        number = bisect.bisect_right(self._ends, index)
        places = self._places[number]
        return number, int(places[index - (self._ends[number] - len(places))])

    def indices_of(self, number):
        """The indices, a range, of the images in the shard with this number."""
        return range(self._ends[number] - len(self._places[number]), self._ends[number])

    def read(self, name, number, place, out=None):
        """One picture, read and decompressed outside of HDF5's lock where that is possible; threads may share this.

        Args:
            name: "L", "ab" or "mask".
            number, place: shard number and place inside it, as `locate` gives them.
            out: C-contiguous array to fill, uint8 (S, S) or int8 (S, S, 2); None makes one.

        Returns:
            `out`.

        Raises:
            ShardError: the shard does not open, or the picture's checksum is wrong; the message names both.
            OSError: the file cannot be read.
        """
        pictures = self._indices.get(number).pictures[name]
        if out is None:
            out = np.empty(image_shape(name, self.image_size), IMAGE_DATASETS[name][0])
        if pictures is None or not pictures.read_into(self._descriptors.get(number), place, out):
            out[...] = self.shard(number).read(name, place)
        return out

    def has_masks(self, number):
        """Whether the shard with this number has masks."""
        return "mask" in self._indices.get(number).pictures

    def label(self, number, place):
        """The label of one image, by shard number and place inside it: an index of `class_names`, or -1."""
        stored = int(self._indices.get(number).labels[place])
        return stored if self._new_labels is None else int(self._new_labels[stored])

    def label_counts(self):
        """How many images each class has, int64 (classes,); unlabelled ones count nowhere. Reads all shards' labels."""
        counts = np.zeros(len(self.class_names), np.int64)
        for number, places in enumerate(self._places):
            labels = self.shard(number).labels[np.asarray(places, np.int64)]
            if self._new_labels is not None:
                labels = self._new_labels[labels]
            counts += np.bincount(labels[labels >= 0], minlength=len(counts))
        return counts

    def choose_classes(self, classes):
        """Keep only the images of some classes; they stay in the order of the shards.

        Reads the labels of all shards.

        Args:
            classes: names from `class_names`; their order gives the new labels.

        Raises:
            ShardError: a name is unknown, ambiguous or given twice, or no image is left.
        """
        stored_labels = _labels_of(classes, self.class_names, self.paths[0].parent)
        new_labels = np.full(len(self.class_names) + 1, UNLABELLED, np.int32)  # the last one answers for -1
        new_labels[stored_labels] = np.arange(len(stored_labels))
        places = []
        for path in self.paths:
            with open_shard(path) as shard:
                places.append(np.flatnonzero(new_labels[shard.labels] != UNLABELLED).astype(np.int32))
        ends = np.cumsum([len(chosen) for chosen in places]).tolist()
        if not ends[-1]:
            names = ", ".join(map(repr, classes))
            raise ShardError(f"No image of split {self.split!r} of {self.paths[0].parent} is of the classes {names}.")
        self.class_names = list(classes)
        self._places, self._new_labels, self._ends = places, new_labels, ends

    def shard(self, number):
        """The open `Shard` with this number; at most 64 are kept open."""
        return self._shards.get(number)


def _open_listed(paths, counts, image_size, number):
    shard = open_shard(paths[number])
    _check_agreement(shard, counts[number], image_size)
    return shard


def _open_descriptor(paths, number):
    return Descriptor(paths[number])


def _index_listed(paths, counts, image_size, number):
    with _open_listed(paths, counts, image_size, number) as shard:
        return ShardIndex(shard)


def open_dataset(path, split="train", classes=None, on_damage=None):
    """Open one split of a packed folder.

    Args:
        path: a folder that densecolor-pack made, or one .h5 shard.
        split: "train", "validation" or "test"; for a single shard None takes whatever it holds.
        classes: names of the classes to keep, whose order gives the labels; None keeps all images and labels.
        on_damage: function of one line of text. Every shard is then opened, and those that are missing or damaged are
            told to it and left out; None raises.

    Returns:
        PackedSplit with at least one image.

    Raises:
        FileNotFoundError: there is nothing at `path`.
        ShardError: not a packed folder, without that split, or with a shard missing or of another length
            than the manifest says; or without one of the classes.

    Example:
        >>> packed = open_dataset("packed", "validation")
        >>> packed.count, packed.image_size
        (40, 256)
        >>> open_dataset("packed", "validation", classes=["goldfish", "tabby cat"]).count
        9
    """
    path = Path(path)
    packed = _open_single(path, split) if path.is_file() else _open_folder(path, split, on_damage)
    if classes is not None:
        packed.choose_classes(classes)
    return packed


def _open_folder(path, split, on_damage):
    manifest = read_manifest(path)
    shards = [shard for shard in manifest.shards if shard.split == split and shard.count]
    if not shards:
        have = ", ".join(f"{name} ({manifest.count(name)})" for name in manifest.splits) or "no image at all"
        raise ShardError(f"{path} has no split {split!r}. It has {have}.")
    if on_damage is None:
        for shard in shards:
            _check_file(path / shard.name, shard)
    else:
        shards = [shard for shard in shards if _opens(path / shard.name, shard, manifest, on_damage)]
        if not shards:
            raise ShardError(f"No shard of split {split!r} of {path} can be read. Copy them again, or pack again.")
    return PackedSplit(
        [path / shard.name for shard in shards],
        [shard.count for shard in shards],
        split,
        manifest.image_size,
        manifest.class_names,
    )


def _check_file(path, info):
    if not path.is_file():
        raise ShardError(f"{path} is missing, though the manifest lists it. Copy it back, or pack again.")
    if path.stat().st_size != info.bytes:
        raise ShardError(
            f"{path} is damaged: it has {path.stat().st_size} bytes, the manifest says {info.bytes}. "
            "Copy it again, or pack again."
        )


def _opens(path, info, manifest, on_damage):
    try:
        _check_file(path, info)
        with open_shard(path) as shard:
            _check_agreement(shard, info.count, manifest.image_size)
    except (ShardError, OSError) as error:
        on_damage(f"{error} It is left out, with its {info.count} pictures.")
        return False
    return True


def _check_agreement(shard, count, image_size):
    if (shard.count, shard.image_size) != (count, image_size):
        raise ShardError(
            f"{shard.path} holds {shard.count} images of side {shard.image_size}; the manifest says "
            f"{count} of {image_size}. Pack again."
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


def _labels_of(names, class_names, folder):
    """The labels of classes, by name."""
    if not names or len(set(names)) != len(names):
        raise ShardError(f"`classes` must be different names, at least one. Received: classes={names!r}.")
    for name in names:
        if name not in class_names:
            raise ShardError(f"{folder} has no class {name!r}. {_suggest(name, class_names)}")
        if class_names.count(name) > 1:
            raise ShardError(f"{folder} has {class_names.count(name)} classes {name!r}: the name is ambiguous.")
    return [class_names.index(name) for name in names]


def _suggest(name, class_names):
    if not class_names:
        return "Its source has no classes."
    close = difflib.get_close_matches(str(name), class_names, SUGGESTIONS)
    if close:
        return f"Did you mean {' or '.join(map(repr, close))}?"
    some = ", ".join(map(repr, class_names[:SUGGESTIONS]))
    rest = len(class_names) - SUGGESTIONS
    return f"It has {some}{f' and {rest} more' if rest > 0 else ''}."


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
