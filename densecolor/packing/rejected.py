"""Inputs that were not packed, and why."""

import collections
import re
from typing import NamedTuple

from densecolor.shards import SPLITS


class Rejection(NamedTuple):
    """One input that was not packed: a row of rejected.csv."""

    key: str
    split: str  # empty where the input never came so far as to have one
    reason: str  # a kind, then details after a colon or in brackets


def in_order(rejections):
    """Sort Rejections by split, key and reason."""
    order = {split: number for number, split in enumerate(SPLITS)}
    return sorted(rejections, key=lambda rejection: (order.get(rejection.split, -1), rejection.key, rejection.reason))


def count_kinds(reasons):
    """How often each kind of reason occurs.

    Returns:
        dict, kind -> number, most frequent first.

    Example:
        >>> count_kinds(["grayscale", "cannot be read: Permission denied", "grayscale"])
        {'grayscale': 2, 'cannot be read': 1}
    """
    return dict(collections.Counter(re.split(r"[:(]", reason)[0].strip() for reason in reasons).most_common())
