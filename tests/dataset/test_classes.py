"""Reading a subset of classes: from a folder, from a shard, as batches."""

import pickle

import numpy as np
import pytest
from conftest import write_packed

from densecolor.dataset import BatchReader
from densecolor.dataset import ShardDataset
from densecolor.dataset import iterate
from densecolor.dataset import load
from densecolor.errors import ShardError
from densecolor.shards import open_dataset


@pytest.fixture(scope="module")
def all_records(packed):
    return list(iterate(packed))


def expected_keys(records, *labels):
    return [record.key for record in records if record.label in labels]


def test_only_pictures_of_these_classes_with_labels_in_the_order_given(packed, all_records):
    chosen = open_dataset(packed, classes=["rocket", "cat"])
    assert chosen.class_names == ["rocket", "cat"]
    assert chosen.count == 14
    records = list(iterate(packed, classes=["rocket", "cat"]))
    assert [record.key for record in records] == expected_keys(all_records, 0, 2)
    names = ["cat", "coffee", "rocket"]
    before = {record.key: names[record.label] for record in all_records}
    for record in records:
        assert ["rocket", "cat"][record.label] == before[record.key]
    whole = {record.key: record for record in all_records}
    for record in records:
        np.testing.assert_array_equal(record.ab, whole[record.key].ab)
        np.testing.assert_array_equal(record.L, whole[record.key].L)


def test_all_classes_leave_out_the_unlabelled_picture(packed):
    assert open_dataset(packed).count == 21
    keys = [record.key for record in iterate(packed, classes=["cat", "coffee", "rocket"])]
    assert len(keys) == 20
    assert "train/4.png" not in keys


def test_shards_without_such_a_picture_are_passed_over(tmp_path, crops):
    labels = np.zeros(30, int)
    labels[[1, 17, 29]] = 1
    folder = write_packed(tmp_path / "p", {"train": (crops, labels)}, ["usual", "rare"], shard_size=5)
    assert [record.key for record in iterate(folder, classes=["rare"])] == [f"train/{i}.png" for i in (1, 17, 29)]
    chosen = pickle.loads(pickle.dumps(open_dataset(folder, classes=["rare"])))
    assert [chosen.locate(index) for index in range(3)] == [(0, 1), (3, 2), (5, 4)]
    assert [chosen.label(*chosen.locate(index)) for index in range(3)] == [0, 0, 0]


def test_a_single_shard_too(packed, all_records):
    records = list(iterate(packed / "train-00001-of-00003.h5", classes=["coffee"]))
    assert [record.key for record in records] == expected_keys(all_records[8:16], 1)
    assert {record.label for record in records} == {0}


def test_batches_hold_every_chosen_picture_once_an_epoch(packed, all_records):
    whole = {record.L.tobytes(): record for record in all_records}
    for epoch in range(2):
        reader = BatchReader(packed, batch_size=4, classes=["rocket", "coffee"], targets=("ab", "label"), seed=epoch)
        seen = []
        for step in range(reader.steps):
            batch = reader.read(epoch, step)
            for row in np.flatnonzero(batch.weight):
                record = whole[batch.L[row].tobytes()]
                np.testing.assert_array_equal(batch.ab[row], record.ab)
                assert batch.label[row] == {2: 0, 1: 1}[record.label]
                seen.append(record.key)
            assert batch.weight[batch.weight > 0].tolist() == pytest.approx([16 / 13] * np.count_nonzero(batch.weight))
        assert sorted(seen) == sorted(expected_keys(all_records, 1, 2))
        assert seen != expected_keys(all_records, 1, 2)


def test_load_and_sharddataset_give_the_same_batches(packed):
    options = {"batch_size": 5, "classes": ["coffee", "cat"], "targets": ("ab", "label"), "seed": 3}
    reader = BatchReader(packed, **options)
    batches = ShardDataset(packed, **options)
    assert len(batches) == reader.steps == 3
    for step, (inputs, targets, _) in enumerate(load(packed, repeat=True, **options).take(3)):
        expected = reader.read(0, step)
        np.testing.assert_array_equal(targets["label"], expected.label)
        np.testing.assert_array_equal(batches[step][1]["label"], expected.label)
        np.testing.assert_array_equal(inputs["lightness"], batches[step][0]["lightness"])


@pytest.mark.parametrize(
    ("classes", "message"),
    [
        (["cat", "rockets"], r"has no class 'rockets'\. Did you mean 'rocket'\?"),
        (["zebra"], r"has no class 'zebra'\. It has 'cat', 'coffee', 'rocket'\."),
        ([], "at least one"),
        (["cat", "cat"], r"different names.*\['cat', 'cat'\]"),
    ],
)
def test_names_that_cannot_be(packed, classes, message):
    with pytest.raises(ShardError, match=message):
        open_dataset(packed, classes=classes)


def test_long_lists_of_classes_are_cut_in_messages(tmp_path, crops):
    names = [f"{letter * 3}" for letter in "abcdefgh"]
    folder = write_packed(tmp_path / "p", {"train": (crops[:2], [0, 1])}, names)
    with pytest.raises(ShardError, match=r"It has 'aaa', 'bbb', 'ccc', 'ddd', 'eee' and 3 more\."):
        open_dataset(folder, classes=["zzz"])
    with pytest.raises(ShardError, match=r"No image of split 'train' .* of the classes 'ccc', 'hhh'"):
        open_dataset(folder, classes=["ccc", "hhh"])


def test_sources_without_classes_and_names_of_two_classes(tmp_path, crops):
    plain = write_packed(tmp_path / "plain", {"train": (crops[:2], [-1, -1])})
    with pytest.raises(ShardError, match="Its source has no classes"):
        open_dataset(plain, classes=["cat"])
    cranes = write_packed(tmp_path / "cranes", {"train": (crops[:2], [0, 1])}, ["crane", "crane"])
    with pytest.raises(ShardError, match="2 classes 'crane': the name is ambiguous"):
        open_dataset(cranes, classes=["crane"])
