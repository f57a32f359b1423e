"""Compare a packed folder with its manifest and name what is damaged."""

from pathlib import Path

import numpy as np

from densecolor.errors import ShardError
from densecolor.shards.embedding import EmbeddingFile
from densecolor.shards.embedding import shard_of_embedding
from densecolor.shards.manifest import read_manifest
from densecolor.shards.manifest import sha256_of
from densecolor.shards.reader import open_shard
from densecolor.shards.rejected import read_rejected

MAX_KEYS = 20  # named in one line


def verify(folder, progress=None):
    """Compare every shard of a packed folder with the manifest, and look for the damage inside those that differ.

    Args:
        folder: a folder that densecolor-pack made.
        progress: function (done, total), called as the pictures of each shard are checked.

    Returns:
        list of str, one line a problem, empty where all is well. Lines name shards that are missing, of another
        size or SHA-256, or not in the manifest; embeddings that are damaged or of another shard; pictures that cannot
        be read; and what is wrong with `rejected.csv`.

    Raises:
        FileNotFoundError, ShardError: as `read_manifest`.

    Example:
        >>> verify("packed")
        ["packed/train-00000-of-00012.h5 is damaged: its SHA-256 is not the manifest's.",
         "packed/train-00000-of-00012.h5: 1 of 1024 pictures cannot be read: 'n01443537/goldfish.JPEG'."]
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    problems, done = [], 0
    for info in manifest.shards:
        problems += _problems_of_shard(folder / info.name, info)
        done += info.count
        if progress is not None:
            progress(done, manifest.count())
    listed = {info.name for info in manifest.shards}
    extra = sorted(path for path in folder.glob("*.h5") if path.name not in listed)
    shards = {info.name: info for info in manifest.shards}
    for path in extra:
        shard = shards.get(shard_of_embedding(path))
        problems += [f"{path} is not in the manifest."] if shard is None else _problems_of_embedding(path, shard)
    try:
        read_rejected(folder, manifest.rejected)
    except ShardError as error:
        problems.append(str(error))
    return problems


def _problems_of_shard(path, info):
    if not path.is_file():
        return [f"{path} is missing."]
    try:
        size = path.stat().st_size
        if size != info.bytes:
            return [f"{path} has {size} bytes; the manifest says {info.bytes}.", _damage(path)]
        if sha256_of(path) != info.sha256:
            return [f"{path} is damaged: its SHA-256 is not the manifest's.", _damage(path)]
    except OSError as error:
        return [f"{path} cannot be read: {error.strerror}."]
    return []


def _problems_of_embedding(path, shard):
    try:
        EmbeddingFile(path, shard).read()
    except ShardError as error:
        return [str(error)]
    return []


def _damage(path):
    """Say which pictures of a shard that is known to be damaged cannot be read."""
    try:
        with open_shard(path) as shard:
            unreadable = [key for index, key in enumerate(shard.keys) if not _is_readable(shard, index)]
            count, is_contiguous = shard.count, isinstance(shard.L, np.memmap)
    except ShardError as error:
        return str(error)
    if unreadable:
        named = ", ".join(map(repr, unreadable[:MAX_KEYS]))
        rest = f" and {len(unreadable) - MAX_KEYS} more" if len(unreadable) > MAX_KEYS else ""
        return f"{path}: {len(unreadable)} of {count} pictures cannot be read: {named}{rest}."
    if is_contiguous:
        return f"{path}: which of its {count} pictures are damaged cannot be said, since it is not compressed."
    return f"{path}: all {count} pictures can be read; the damage is in keys, attributes or unused bytes."


def _is_readable(shard, index):
    try:
        for name in ("L", "ab") if shard.mask is None else ("L", "ab", "mask"):
            shard.read(name, index)
    except ShardError:
        return False
    return True
