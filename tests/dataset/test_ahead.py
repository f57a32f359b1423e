"""Batches that are read ahead."""

import pickle
import threading

import numpy as np
import pytest

from densecolor.dataset import BatchReader
from densecolor.dataset import ShardDataset
from densecolor.dataset.ahead import ReadAhead
from densecolor.dataset.batches import model_values


def describe(epoch, step):
    return epoch, step


@pytest.mark.parametrize("order", [[0, 1, 2, 3, 4], [3, 1, 4, 0, 2], [0, 0, 1, 1, 4, 0]])
@pytest.mark.parametrize("depth", [0, 1, 9])
def test_any_order_gives_what_was_asked_for(order, depth):
    ahead = ReadAhead(describe, 5, 2, depth)
    for epoch in (0, 1, 0):
        assert [ahead.get(epoch, step) for step in order] == [(epoch, step) for step in order]


def test_the_next_batches_are_read_by_other_threads_and_never_more_than_the_epoch_has():
    read, third = [], threading.Event()

    def note(epoch, step):
        read.append((epoch, step, threading.current_thread() is threading.main_thread()))
        if step == 2:
            third.set()
        return step

    ahead = ReadAhead(note, 3, 2, 8)
    assert ahead.get(0, 0) == 0
    third.wait()
    assert [ahead.get(0, step) for step in (1, 2)] == [1, 2]
    assert sorted(read) == [(0, 0, True), (0, 1, False), (0, 2, False)]


def test_what_reading_raises_is_raised_at_its_step():
    def fail_at_two(epoch, step):
        if step == 2:
            raise OSError("the disk is gone")
        return step

    ahead = ReadAhead(fail_at_two, 4, 2, 4)
    assert [ahead.get(0, 0), ahead.get(0, 1)] == [0, 1]
    with pytest.raises(OSError, match="the disk is gone"):
        ahead.get(0, 2)
    assert ahead.get(0, 3) == 3


def test_no_batch_shares_memory_with_another(packed):
    dataset = ShardDataset(packed, batch_size=4, augment=True, workers=3, max_queue_size=3)
    reader = BatchReader(packed, batch_size=4, augment=True)
    held = [dataset[step] for step in range(len(dataset))]
    arrays = [array for inputs, targets, _ in held for array in (inputs["lightness"], targets["ab"])]
    for place, array in enumerate(arrays):
        assert not any(np.shares_memory(array, other) for other in arrays[place + 1 :])
    for step, (inputs, targets, _) in enumerate(held):
        expected = model_values(reader.read(0, step), ("ab",))
        np.testing.assert_array_equal(inputs["lightness"], expected[0]["lightness"])
        np.testing.assert_array_equal(targets["ab"], expected[1]["ab"])


def test_a_data_set_that_has_read_ahead_can_be_pickled(packed):
    dataset = ShardDataset(packed, batch_size=4)
    first = dataset[0]
    again = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(again[0][1]["ab"], first[1]["ab"])
    np.testing.assert_array_equal(again[1][1]["ab"], dataset[1][1]["ab"])
