import pickle

import h5py
import numpy as np
import pytest
import skimage.color
from conftest import write_packed
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from densecolor.color import srgb_to_lab
from densecolor.dataset import BatchReader
from densecolor.dataset import ShardDataset
from densecolor.dataset import iterate
from densecolor.dataset.batches import model_values
from densecolor.errors import ShardError


def picture_index(batch, packed):
    """Which stored picture each row of a batch is."""
    stored = [record.L for record in iterate(packed)]
    return [next(i for i, L in enumerate(stored) if np.array_equal(L, row)) for row in batch.L]


def test_iterate_gives_the_pictures_in_order(packed, crops):
    records = list(iterate(packed, "validation"))
    assert [record.key for record in records] == [f"validation/{i}.png" for i in range(9)]
    assert [record.label for record in records] == [0, 1, 2] * 3
    assert records[8].original_size == (100, 200)
    lab = srgb_to_lab(crops[25])
    np.testing.assert_allclose(records[4].L / 2.55, lab[..., 0], atol=0.2)
    np.testing.assert_allclose(records[4].ab, lab[..., 1:], atol=0.51)


@settings(max_examples=20, deadline=None)
@given(batch_size=st.integers(1, 25), workers=st.integers(1, 4), epoch=st.integers(0, 3))
def test_every_picture_once_an_epoch_whatever_batch_and_workers(packed, batch_size, workers, epoch):
    seen, weights = [], set()
    for worker in range(workers):
        reader = BatchReader(packed, batch_size=batch_size, worker_index=worker, worker_count=workers)
        for step in range(reader.steps):
            batch = reader.read(epoch, step)
            assert len(batch.L) == batch_size
            index = np.array(picture_index(batch, packed))
            seen += index[batch.weight > 0].tolist()
            weights |= set(batch.weight[batch.weight > 0].tolist())
    assert sorted(seen) == list(range(21))
    assert len(weights) == 1  # all pictures count alike


def test_more_workers_than_pictures(tmp_path, crops):
    folder = write_packed(tmp_path / "two", {"train": (crops[:2], np.zeros(2, int))})
    readers = [BatchReader(folder, batch_size=2, worker_index=i, worker_count=3) for i in range(3)]
    weights = [reader.read(0, 0).weight.tolist() for reader in readers]
    assert weights == [[3, 0], [3, 0], [0, 0]]


def test_order_depends_on_seed_and_epoch_only(packed):
    def order(seed, epoch):
        return picture_index(BatchReader(packed, batch_size=21, seed=seed).read(epoch, 0), packed)

    assert order(1, 0) == order(1, 0)
    assert order(1, 0) != order(1, 1)
    assert order(1, 0) != order(2, 0)


def test_validation_is_in_order_unless_asked(packed):
    reader = BatchReader(packed, "validation", batch_size=9)
    stored = np.stack([record.L for record in iterate(packed, "validation")])
    np.testing.assert_array_equal(reader.read(0, 0).L, stored)
    shuffled = BatchReader(packed, "validation", batch_size=9, shuffle=True).read(0, 0)
    assert not np.array_equal(shuffled.L, stored)


def test_crops_and_flips_are_the_same_for_lightness_ab_and_mask(tmp_path, crops):
    folder = write_packed(tmp_path / "m", {"train": (crops[:8], np.zeros(8, int))}, with_mask=True)
    stored = list(iterate(folder))
    reader = BatchReader(folder, batch_size=8, image_size=20, augment=True, targets=("ab", "label", "mask"))
    flips, places = set(), set()
    for step_epoch in range(4):
        batch = reader.read(step_epoch, 0)
        np.testing.assert_array_equal(batch.mask, batch.L)
        for row in range(8):
            found = [
                (record, y, x, flip)
                for record in stored
                for y in range(13)
                for x in range(13)
                for flip in (1, -1)
                if np.array_equal(record.L[y : y + 20, x : x + 20][:, ::flip], batch.L[row])
            ]
            record, y, x, flip = found[0]
            np.testing.assert_array_equal(record.ab[y : y + 20, x : x + 20][:, ::flip], batch.ab[row])
            flips.add(flip)
            places.add((y, x))
    assert flips == {1, -1}
    assert len(places) > 10


def test_central_crop_without_augmentation(packed):
    whole = BatchReader(packed, "validation", batch_size=3).read(0, 0)
    cropped = BatchReader(packed, "validation", batch_size=3, image_size=16).read(0, 0)
    np.testing.assert_array_equal(cropped.L, whole.L[:, 8:24, 8:24])


def test_model_values(packed):
    reader = BatchReader(packed, batch_size=8, shuffle=False, targets=("ab", "label", "mask"))
    inputs, targets, weights = model_values(reader.read(0, 2), reader.targets)
    record = list(iterate(packed))[16]
    assert inputs["lightness"].shape == (8, 32, 32, 1)
    assert inputs["lightness"].dtype == targets["ab"].dtype == np.float32
    np.testing.assert_allclose(inputs["lightness"][0, ..., 0], record.L / 127.5 - 1, atol=1e-6)
    np.testing.assert_array_equal(targets["ab"][0], record.ab / 128)
    assert weights["ab"].shape == (8, 1, 1)
    np.testing.assert_allclose(weights["ab"].ravel(), [24 / 21] * 5 + [0] * 3)  # three batches of 8 for 21 pictures
    np.testing.assert_array_equal(weights["mask"].ravel(), np.zeros(8))  # these shards have none


def test_unlabelled_pictures_weigh_nothing(packed):
    reader = BatchReader(packed, batch_size=8, shuffle=False, targets=("label",))
    _, targets, weights = model_values(reader.read(0, 0), reader.targets)
    assert targets["label"].tolist() == [0, 1, 2, 0, 0, 2, 0, 1]
    assert (weights["label"] > 0).tolist() == [True, True, True, True, False, True, True, True]


def test_py_dataset_gives_the_reader_s_batches_and_a_new_order_each_epoch(packed):
    reader = BatchReader(packed, batch_size=8, augment=True)
    batches = ShardDataset(packed, batch_size=8, augment=True)
    assert len(batches) == 3
    for epoch in range(2):
        for step in range(3):
            expected = model_values(reader.read(epoch, step), reader.targets)
            np.testing.assert_array_equal(batches[step][0]["lightness"], expected[0]["lightness"])
            np.testing.assert_array_equal(batches[step][1]["ab"], expected[1]["ab"])
        batches.on_epoch_end()


def test_targets_of_distributions_are_colours(packed):
    names = ("ab_distribution", "hue_chroma_distribution")
    reader = BatchReader(packed, batch_size=8, shuffle=False, targets=names)
    _, targets, weights = model_values(reader.read(0, 0), names)
    record = next(iterate(packed, "train"))
    np.testing.assert_array_equal(targets["ab_distribution"][0], record.ab / 128)
    lab = np.concatenate([record.L[..., None] / 2.55, record.ab], axis=-1)
    hsv = skimage.color.rgb2hsv(skimage.color.lab2rgb(lab))
    hue, chroma = np.moveaxis(targets["hue_chroma_distribution"][0], -1, 0)
    np.testing.assert_allclose(chroma, hsv[..., 1] * hsv[..., 2], atol=0.01)
    turned = (hue - hsv[..., 0] + 0.5) % 1 - 0.5
    assert np.abs(turned[chroma > 0.2]).max() < 0.01
    assert {name: weight.shape for name, weight in weights.items()} == dict.fromkeys(names, (8, 1, 1))


def test_reader_survives_pickling(packed):
    reader = BatchReader(packed, batch_size=4)
    before = reader.read(0, 1)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(reader)).read(0, 1).L, before.L)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"seed": -1}, "seed"),
        ({"image_size": 33}, "32 pixels"),
        ({"image_size": 0}, "32 pixels"),
        ({"targets": ("ab", "depth")}, "depth"),
        ({"worker_index": 2, "worker_count": 2}, "worker_index"),
        ({"split": "test"}, "no split 'test'"),
    ],
)
def test_options_that_do_not_fit(packed, options, message):
    with pytest.raises(ShardError, match=message):
        BatchReader(packed, **options)


def test_damaged_pictures_weigh_nothing_and_are_told_once(tmp_path, crops):
    folder = write_packed(
        tmp_path / "data", {"train": (crops[:12], np.arange(12))}, [str(i) for i in range(12)], "gzip"
    )
    expected = BatchReader(folder, batch_size=12, shuffle=False).read(0, 0)
    shard = folder / "train-00001-of-00002.h5"
    with h5py.File(shard) as file:
        places = [file[name].id.get_chunk_info(1).byte_offset for name in ("L", "ab")]
    content = bytearray(shard.read_bytes())
    for place in places:
        content[place + 9] ^= 0xFF
    shard.write_bytes(content)
    with pytest.raises(ShardError, match=r"'L' of image 1 \(train/9\.png\)"):
        BatchReader(folder, batch_size=12, shuffle=False).read(0, 0)
    told = []
    reader = BatchReader(folder, batch_size=12, shuffle=False, on_damage=told.append)
    for _ in range(2):
        batch = reader.read(0, 0)
        assert batch.weight[9] == batch.mask_weight[9] == 0
        whole = np.delete(np.arange(12), 9)
        assert batch.embedding is None
        for got, values in zip(batch[:-1], expected[:-1], strict=True):
            np.testing.assert_array_equal(got[whole], values[whole])
        np.testing.assert_array_equal(batch.L[9], expected.L[0])  # nothing foreign for batch statistics
    assert len(told) == 1
    alone = BatchReader(folder, batch_size=1, shuffle=False, on_damage=told.append).read(0, 9)
    assert (alone.weight, alone.label) == (0, 0)
    assert not alone.L.any()
    assert not alone.ab.any()
