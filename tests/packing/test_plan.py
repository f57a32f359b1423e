import random

import hypothesis
import pytest
from hypothesis import strategies

from densecolor.packing.plan import plan_shards
from densecolor.packing.plan import split_of
from densecolor.packing.plan import without_duplicates
from densecolor.packing.sources import Entry

KEYS = strategies.lists(strategies.text(max_size=20), unique=True, max_size=60)


def entries_of(keys, split=None):
    return [Entry(key, key, split=split) for key in keys]


@hypothesis.given(KEYS, KEYS, strategies.floats(0, 0.99))
def test_adding_pictures_moves_none_to_another_split(before, added, fraction):
    def splits(keys):
        return {entry.key: plan.split for plan in plan_shards(entries_of(keys), 7, fraction) for entry in plan.entries}

    grown = splits(list(dict.fromkeys(before + added)))
    assert grown.items() >= splits(before).items()


@hypothesis.given(KEYS, strategies.integers(1, 70))
def test_shards_are_full_except_the_last_and_hold_everything_once(keys, shard_size):
    plans = plan_shards(entries_of(keys), shard_size, 0)
    assert sorted(entry.key for plan in plans for entry in plan.entries) == sorted(keys)
    assert all(len(plan.entries) == shard_size for plan in plans[:-1])
    assert all(1 <= len(plan.entries) <= shard_size for plan in plans)
    assert [plan.name for plan in plans] == [f"train-{i:05d}-of-{len(plans):05d}.h5" for i in range(len(plans))]


def test_the_order_of_the_listing_does_not_matter():
    entries = entries_of(f"class{i % 3}/{i}.jpg" for i in range(200))
    shuffled = random.Random(0).sample(entries, len(entries))
    assert plan_shards(entries, 64, 0.1) == plan_shards(shuffled, 64, 0.1)


def test_every_shard_mixes_the_classes():
    entries = [Entry(f"{label}/{i}.jpg", "", label) for label in range(4) for i in range(500)]
    for plan in plan_shards(entries, 250, 0):
        counts = [sum(entry.label == label for entry in plan.entries) for label in range(4)]
        assert min(counts) > 35  # 62.5 expected, standard deviation 6.8


def test_own_splits_are_kept_and_the_fraction_is_met():
    own = entries_of((f"{i}.jpg" for i in range(20)), split="test")
    rest = entries_of(f"photo {i}.jpg" for i in range(5000))
    count = {"train": 0, "validation": 0, "test": 0}
    for plan in plan_shards(own + rest, 1024, 0.05):
        count[plan.split] += len(plan.entries)
    assert count["test"] == 20
    assert count["validation"] == pytest.approx(250, abs=62)  # four standard deviations
    assert all(split_of(entry, 0) == "train" for entry in rest)


def test_the_first_of_equal_keys_stays():
    entries = [Entry("a", "a", 0), Entry("b", "b", 1), Entry("a", "a", 2)]
    assert without_duplicates(entries) == (entries[:2], entries[2:])
