"""Merge packed folders into a new one: shards are copied as they are, and only labels and class names written anew."""

import collections
import contextlib
import dataclasses
import fcntl
import hashlib
import itertools
import json
from pathlib import Path

import h5py
import numpy as np

from densecolor.atomic import partial_path
from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.errors import ShardError
from densecolor.shards.manifest import MANIFEST_NAME
from densecolor.shards.manifest import Manifest
from densecolor.shards.manifest import ShardInfo
from densecolor.shards.manifest import read_manifest
from densecolor.shards.manifest import write_manifest
from densecolor.shards.reader import open_shard
from densecolor.shards.rejected import REJECTED_NAME
from densecolor.shards.rejected import read_rejected
from densecolor.shards.rejected import write_rejected_rows
from densecolor.shards.schema import SPLITS
from densecolor.shards.schema import UNLABELLED
from densecolor.shards.schema import shard_name

MARKER_NAME = "merging.partial"  # in OUT for as long as the work lasts; a killed merge leaves it
COPY_BYTES = 1 << 22
SPARE_BYTES = 1 << 20  # more than new class names and labels take beside their text


@dataclasses.dataclass(frozen=True)
class _Input:
    folder: Path
    manifest: Manifest


@dataclasses.dataclass(frozen=True)
class _CopyTask:
    source: Path
    info: ShardInfo  # of the source
    name: str  # of the copy
    new_labels: np.ndarray | None  # indexed by the old ones, -1 included; None where nothing changes


def merge(folders, out, progress=None):
    """Merge finished packed folders into a new one.

    Classes are matched by name (those of a list file are its numbers): those of the first folder keep their labels,
    and new ones follow in the order in which they appear. Every shard is copied byte for byte; where classes change,
    the copy's labels and class names are rewritten, and its pictures stay as they are stored, so the folders may
    differ in compression. The manifest's options are `{"merged": [the options of every folder]}`, and `rejected.csv`
    has the rows of all.

    Args:
        folders: at least two folders that densecolor-pack or this function made.
        out: the folder to make; if it exists, it must be empty, or hold what a killed merge has left.
        progress: function (done, total), called as pictures are copied.

    Returns:
        Manifest of the new folder.

    Raises:
        FileNotFoundError: there is no such folder.
        ShardError: a folder is unfinished or damaged; the folders differ in picture size, or only some have masks;
            a picture is in two of them; a class name stands for two classes; or `out` is not empty, lies inside one
            of the folders, or cannot be written. Nothing is left in `out` then.

    Example:
        >>> merge(["packed-places", "packed-own"], "packed-all").count()
        1803460
    """
    out = Path(out)
    folders = [Path(folder) for folder in folders]
    if len(folders) < 2:
        raise ShardError(f"Merging takes at least two packed folders. Received: {len(folders)}.")
    inputs = [_Input(folder, read_manifest(folder)) for folder in folders]
    _check_out(out, folders)
    class_names, new_labels = _match_classes(inputs)
    rejected = [row for each in inputs for row in read_rejected(each.folder, each.manifest.rejected)]
    _check_inputs(inputs)
    options = [part for each in inputs for part in each.manifest.options.get("merged", [each.manifest.options])]
    with _folder_in_the_making(out):
        shards = list(_copy_shards(_plan(inputs, new_labels), out, class_names, progress))
        write_rejected_rows(out, rejected)
        image_size = inputs[0].manifest.image_size
        manifest = Manifest(image_size, class_names, {"merged": options}, shards, len(rejected))
        write_manifest(out, manifest)
    return manifest


def _check_out(out, folders):
    if out.exists() and not out.is_dir():
        raise ShardError(f"{out} is a file. Name a folder to be made.")
    for folder in folders:
        if out.resolve().is_relative_to(folder.resolve()):
            raise ShardError(f"{out} lies inside {folder}, which is to be merged. Name a folder outside it.")
    is_left_by_a_merge = (out / MARKER_NAME).exists() and not (out / MANIFEST_NAME).exists()
    if out.is_dir() and any(out.iterdir()) and not is_left_by_a_merge:
        raise ShardError(f"{out} is not empty. Name another folder, or empty it.")


def _match_classes(inputs):
    """The classes of all inputs, and for each input its labels' new values, or None where its classes stay."""
    lists = [each.manifest.class_names for each in inputs]
    if all(names == lists[0] for names in lists):
        return lists[0], [None] * len(inputs)
    for each in inputs:
        ((name, count),) = collections.Counter(each.manifest.class_names).most_common(1) or [("", 0)]
        if count > 1:
            raise ShardError(f"{each.folder} has {count} classes {name!r}, so classes cannot be matched by name.")
    union = list(dict.fromkeys(itertools.chain(*lists)))
    labels = {name: label for label, name in enumerate(union)}
    # The last one answers for -1.
    new_labels = [np.array([*(labels[name] for name in names), UNLABELLED], np.int32) for names in lists]
    return union, [None if names == union else new for names, new in zip(lists, new_labels, strict=True)]


def _check_inputs(inputs):
    """Look into every shard before anything is copied."""
    folder_of_key, folder_of_masks = {}, {}
    for each in inputs:
        _check_image_size(inputs[0], each)
        for info in _shards_with_pictures(each):
            with open_shard(each.folder / info.name) as shard:
                _check_shard(shard, info, each.manifest)
                folder_of_masks.setdefault(shard.mask is not None, each.folder)
                _check_keys(shard.keys, each.folder, folder_of_key)
    if len(folder_of_masks) > 1:
        raise ShardError(
            f"{folder_of_masks[True]} has masks and {folder_of_masks[False]} has none. Pack one of them again."
        )


def _check_image_size(first, other):
    if other.manifest.image_size != first.manifest.image_size:
        raise ShardError(
            f"{first.folder} holds pictures of {first.manifest.image_size} pixels and {other.folder} of "
            f"{other.manifest.image_size}. Pack one of them again with the other's --image-size."
        )


def _check_shard(shard, info, manifest):
    facts = (shard.count, shard.split, shard.image_size, shard.class_names)
    if facts != (info.count, info.split, manifest.image_size, manifest.class_names):
        raise ShardError(f"{shard.path} is not the shard that the manifest lists. Copy it again, or pack again.")
    if shard.labels.min() < UNLABELLED or shard.labels.max() >= len(shard.class_names):
        raise ShardError(f"{shard.path} has labels of classes that it does not name. Pack again.")


def _check_keys(keys, folder, folder_of_key):
    for key in keys:
        other = folder_of_key.setdefault(key, folder)
        if other is not folder:
            raise ShardError(
                f"The picture {key!r} is in {other} and in {folder}, and keys must stay unambiguous. If these are "
                "two pictures, give one's file or folder another name and pack that source again."
            )


def _shards_with_pictures(each):
    return [info for info in each.manifest.shards if info.count]


def _plan(inputs, new_labels):
    """What is copied under which name: one series a split, in the order of the inputs."""
    tasks = []
    for split in SPLITS:
        members = [
            (each, info, labels)
            for each, labels in zip(inputs, new_labels, strict=True)
            for info in _shards_with_pictures(each)
            if info.split == split
        ]
        for index, (each, info, labels) in enumerate(members):
            tasks.append(_CopyTask(each.folder / info.name, info, shard_name(split, index, len(members)), labels))
    return tasks


@contextlib.contextmanager
def _folder_in_the_making(out):
    """Make OUT, keep other merges out of it, and leave nothing there if the work fails."""
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    with open(out / MARKER_NAME, "w") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ShardError(f"Another process is merging into {out}. Let it finish, or stop it.") from None
        except OSError:  # a network file system without locks
            pass
        try:
            _remove_shards(out)
            yield
        except BaseException:
            _remove_shards(out)
            (out / MARKER_NAME).unlink()
            if made:
                out.rmdir()
            raise
        (out / MARKER_NAME).unlink()


def _remove_shards(out):
    for path in [*out.glob("*.h5"), *out.glob("*.h5.*.partial"), out / REJECTED_NAME, out / MANIFEST_NAME]:
        path.unlink(missing_ok=True)


def _copy_shards(tasks, out, class_names, progress):
    """Copy all shards; yields the ShardInfo of each copy."""
    done, total = 0, sum(task.info.count for task in tasks)
    for task in tasks:
        yield _copy_shard(task, out / task.name, class_names)
        done += task.info.count
        if progress is not None:
            progress(done, total)


def _copy_shard(task, target, class_names):
    partial = partial_path(target)
    try:
        if _copy_file(task.source, partial) != task.info.sha256:
            raise ShardError(
                f"{task.source} is damaged: its SHA-256 is not the manifest's. Copy it again, or pack again; "
                f"densecolor-pack --verify {task.source.parent} says what is damaged."
            )
        if task.new_labels is not None:
            _relabel(partial, class_names, task.new_labels)
        sync(partial)
        rename_durably(partial, target)
    finally:
        partial.unlink(missing_ok=True)
    return ShardInfo.of(target, task.info.split, task.info.count)


def _copy_file(source, target):
    """Copy a file; returns the SHA-256 of what was read."""
    digest = hashlib.sha256()
    try:
        with open(source, "rb") as reader, open(target, "wb") as writer:
            while block := reader.read(COPY_BYTES):
                digest.update(block)
                writer.write(block)
    except OSError as error:
        raise ShardError(f"{source} cannot be copied into {target.parent}: {error.strerror}.") from error
    return digest.hexdigest()


def _relabel(path, class_names, new_labels):
    text = json.dumps(class_names, ensure_ascii=False)
    _reserve(path, 2 * len(text.encode()) + SPARE_BYTES)
    with h5py.File(path, "r+", libver=("earliest", "v110")) as file:
        file.attrs["class_names"] = text
        file["label"][:] = new_labels[file["label"][:]]


def _reserve(path, size):
    """Take more room than is needed, since HDF5 may crash where a disk turns out full; it gives back the rest."""
    try:
        with open(path, "ab") as file:
            file.write(bytes(size))
    except OSError as error:
        raise ShardError(f"{path} cannot be written: {error.strerror}. Is the disk full?") from error
