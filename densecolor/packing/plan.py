"""Which picture goes into which split, shard and place: decided by keys alone, before anything is decoded.

The same keys and options therefore always give the same shards, whoever does the work and in whatever order, and an
unfinished shard can be done again without the others.
"""

import dataclasses
import hashlib

from densecolor.shards import SPLITS
from densecolor.shards import shard_name

# Few shards are divided into parts, so that all workers have work; neither number may depend on how many there are.
MIN_TASKS = 64
MIN_PART = 16  # pictures


@dataclasses.dataclass(frozen=True)
class ShardPlan:
    """The pictures that one shard will hold, less those that turn out not to be usable."""

    name: str  # of the file
    split: str
    entries: list  # of Entry, in order
    part_size: int  # pictures

    @property
    def parts(self):
        """The tasks that make it: a dict, name of a file -> list of Entry."""
        size = self.part_size
        if size >= len(self.entries):
            return {self.name: self.entries}
        starts = range(0, len(self.entries), size)
        return {f"{self.name}.part-{i:04d}": self.entries[start : start + size] for i, start in enumerate(starts)}


def split_of(entry, validation_fraction):
    """One picture's split: its source's, else by a hash of its group or key, so that adding pictures moves none."""
    if entry.split is not None:
        return entry.split
    return "validation" if _hash(entry.group or entry.key, b"split") / 2**64 < validation_fraction else "train"


def assign_splits(entries, validation_fraction):
    """Entries whose splits are decided."""
    return [dataclasses.replace(entry, split=split_of(entry, validation_fraction)) for entry in entries]


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
    training that shuffles within a few open shards never sees one class at a time. The pictures of one file stay
    together, since opening a whole volume for each of its slices would take days.

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
    shards = []
    for split, members in by_split.items():
        members.sort(key=_order)
        starts = range(0, len(members), shard_size)
        shards += [(split, i, len(starts), members[start : start + shard_size]) for i, start in enumerate(starts)]
    parts = -(-MIN_TASKS // max(1, len(shards)))  # a shard, rounded up
    return [
        ShardPlan(shard_name(split, i, count), split, part, max(MIN_PART, -(-len(part) // parts)))
        for split, i, count, part in shards
    ]


def _order(entry):
    if entry.frame is None:
        return _hash(entry.key, b"order"), entry.key, 0
    file = entry.key.rpartition("#")[0]
    return _hash(file, b"order"), file, entry.frame


def _hash(key, purpose):
    """A number from 0 to 2**64 - 1; split and order need independent ones."""
    return int.from_bytes(
        hashlib.blake2b(key.encode("utf-8", "surrogateescape"), digest_size=8, person=purpose).digest(), "big"
    )
