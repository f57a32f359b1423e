"""How several workers share the pictures of a split."""

import numpy as np
import pytest
import tensorflow as tf
from conftest import write_packed

from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.errors import ShardError
from densecolor.shards import open_dataset


@pytest.fixture(scope="module")
def stored(packed):
    """Lightness of the 21 training pictures, in shards of 8, 8 and 5."""
    split = open_dataset(packed)
    return [split.shard(number).read("L", place) for number, place in map(split.locate, range(split.count))]


def index_of(picture, stored):
    return next(i for i, other in enumerate(stored) if np.array_equal(picture, other))


@pytest.mark.parametrize("workers", [2, 4])
def test_by_element_the_batches_together_are_those_of_one_worker(packed, workers):
    """The pictures, what fills up the last batch, weights, crops and flips."""
    options = {"image_size": 20, "augment": True, "targets": ("ab", "label")}
    alone = BatchReader(packed, batch_size=8, **options)
    readers = [
        BatchReader(packed, batch_size=8 // workers, worker_index=i, worker_count=workers, **options)
        for i in range(workers)
    ]
    assert {reader.steps for reader in readers} == {alone.steps}
    for epoch in (0, 1):
        for step in range(alone.steps):
            expected = alone.read(epoch, step)
            batches = [reader.read(epoch, step) for reader in readers]
            for name, value in expected._asdict().items():
                if name == "embedding":
                    continue
                for worker, batch in enumerate(batches):
                    np.testing.assert_array_equal(getattr(batch, name), value[worker::workers])


@pytest.mark.parametrize(("workers", "batch_size"), [(1, 4), (2, 4), (2, 16), (3, 1), (3, 5)])
@pytest.mark.parametrize("epoch", [0, 1])
def test_by_file_every_picture_once_from_own_shards(packed, stored, workers, batch_size, epoch):
    seen, total, rows = [], 0.0, 0
    for worker in range(workers):
        reader = BatchReader(packed, batch_size=batch_size, worker_index=worker, worker_count=workers, sharding="file")
        own = [i for i in range(21) if i // 8 % workers == worker]
        assert reader.steps == -(-(21 if workers == 1 else 13 if workers == 2 else 8) // batch_size)
        for step in range(reader.steps):
            batch = reader.read(epoch, step)
            index = [index_of(picture, stored) for picture in batch.L]
            assert set(index) <= set(own)
            seen += [i for i, weight in zip(index, batch.weight, strict=True) if weight]
            total += sum(batch.weight * np.square(index))  # any figure of the pictures
            rows += batch_size
    assert sorted(seen) == list(range(21))
    # What Keras makes of it: the sum over all rows divided by their number is the mean over the pictures.
    assert total / rows == pytest.approx(np.mean(np.square(np.arange(21))))


def test_by_file_the_order_changes_with_the_epoch(packed, stored):
    reader = BatchReader(packed, batch_size=8, worker_index=1, worker_count=3, sharding="file")
    orders = [[index_of(picture, stored) for picture in reader.read(epoch, 0).L] for epoch in (0, 1)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(8, 16))
    assert orders[0] != orders[1]


def test_by_file_needs_a_shard_for_every_worker(packed, tmp_path, crops):
    with pytest.raises(ShardError, match=r"has 3 shard\(s\) of split 'train', too few for 4 workers.*--shard-size"):
        BatchReader(packed, worker_count=4, sharding="file")
    with pytest.raises(ShardError, match="Unknown sharding='shard'"):
        BatchReader(packed, sharding="shard")
    folder = write_packed(tmp_path / "sorted", {"train": (crops[:16], np.arange(16) // 8)}, ["cat", "dog"])
    with pytest.raises(ShardError, match=r"1 shard\(s\)"):  # the other one has no cat
        BatchReader(folder, classes=["cat"], worker_count=2, sharding="file")


def test_parts_of_a_batch_for_the_devices_of_one_worker(packed):
    whole = list(load(packed, "validation", batch_size=6, targets=("ab", "label")))
    parts = list(load(packed, "validation", batch_size=6, targets=("ab", "label"), replicas=3))
    assert len(parts) == 3 * len(whole)
    for i, batch in enumerate(whole):
        joined = tf.nest.map_structure(lambda *tensors: tf.concat(tensors, 0), *parts[3 * i : 3 * i + 3])
        tf.nest.map_structure(np.testing.assert_array_equal, joined, batch)
