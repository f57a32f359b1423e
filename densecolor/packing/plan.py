"""Which picture goes into which split, shard and place: decided by keys alone, before anything is decoded.

The same keys and options therefore always give the same shards, whoever does the work and in whatever order, and an
unfinished shard can be done again without the others.
"""

import dataclasses
import hashlib

from densecolor.shards import SPLITS
from densecolor.shards import shard_name


@dataclasses.dataclass(frozen=True)
class ShardPlan:
    """The pictures that one shard will hold, less those that turn out not to be usable."""

    name: str  # of the file
    split: str
    entries: list  # of Entry, in order


def split_of(entry, validation_fraction):
    """The split of one picture: its source's, else by a hash of its key, so that adding pictures moves none."""
    if entry.split is not None:
        return entry.split
    return "validation" if _hash(entry.key, b"split") / 2**64 < validation_fraction else "train"


def without_duplicates(entries):
    """Divide entries into those whose key comes first, and those whose key was there before.

    Returns:
        two lists of Entry.
    """
    first = {}
    repeated = [entry for entry in entries if first.setdefault(entry.key, entry) is not entry]
    return list(first.values()), repeated


def plan_shards(entries, shard_size, validation_fraction):
    """Assign pictures to shards.

    Within a split they are ordered by a hash of the key: every shard is then a fair sample of all classes, and
    training that shuffles within a few open shards never sees one class at a time.

    Args:
        entries: list of Entry with distinct keys.
        shard_size: pictures in one shard, except the last of a split.
        validation_fraction: share of the pictures without a split that become validation ones.

    Returns:
        list of ShardPlan: train, validation, test.
    """
    by_split = {split: [] for split in SPLITS}
    for entry in entries:
        by_split[split_of(entry, validation_fraction)].append(entry)
    plans = []
    for split, members in by_split.items():
        members.sort(key=lambda entry: (_hash(entry.key, b"order"), entry.key))
        parts = [members[start : start + shard_size] for start in range(0, len(members), shard_size)]
        plans += [ShardPlan(shard_name(split, i, len(parts)), split, part) for i, part in enumerate(parts)]
    return plans


def _hash(key, purpose):
    """A number from 0 to 2**64 - 1; split and order need independent ones."""
    return int.from_bytes(hashlib.blake2b(key.encode(), digest_size=8, person=purpose).digest(), "big")
