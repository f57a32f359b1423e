import numpy as np
import pytest
from conftest import write_packed

from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.dataset.batches import model_values

TARGETS = ("ab", "mask", "masked_ab", "masked_rgb", "rgb")


@pytest.fixture(scope="module")
def masked(tmp_path_factory, crops):
    """Ten pictures; their masks are their lightness."""
    folder = tmp_path_factory.mktemp("masked") / "packed"
    return write_packed(folder, {"train": (crops[:10], np.full(10, -1))}, with_mask=True)


def read(folder, **options):
    reader = BatchReader(folder, targets=TARGETS, **options)
    return model_values(reader.read(0, 0), TARGETS)


def test_rgb_is_the_picture_itself(masked, crops):
    _, targets, weights = read(masked, batch_size=10, shuffle=False)
    assert targets["rgb"].dtype == np.float32
    # Lab is stored in 8 bits: a unit in a or b is a few units of sRGB.
    assert np.abs(255 * targets["rgb"] - crops[:10]).mean() < 2
    assert np.abs(255 * targets["rgb"] - crops[:10]).max() < 25
    np.testing.assert_array_equal(weights["rgb"], weights["ab"])


def test_masked_colours_are_products(masked):
    _, targets, weights = read(masked, batch_size=10, shuffle=False)
    for name, colors in (("masked_ab", "ab"), ("masked_rgb", "rgb")):
        np.testing.assert_allclose(targets[name], targets[colors] * targets["mask"], atol=1e-6)
        np.testing.assert_array_equal(weights[name], weights["ab"])


def test_without_masks_the_whole_picture_is_foreground(packed):
    _, targets, weights = read(packed, batch_size=8, shuffle=False)
    np.testing.assert_array_equal(targets["masked_rgb"], targets["rgb"])
    np.testing.assert_array_equal(targets["masked_ab"], targets["ab"])
    assert (weights["masked_ab"] > 0).all()
    assert not weights["mask"].any()


def test_a_mask_is_read_for_the_products_alone(masked):
    reader = BatchReader(masked, batch_size=4, shuffle=False, targets=("masked_ab",))
    _, targets, _ = model_values(reader.read(0, 0), ("masked_ab",))
    _, all_of_them, _ = read(masked, batch_size=4, shuffle=False)
    np.testing.assert_array_equal(targets["masked_ab"], all_of_them["masked_ab"])


def test_padding_weighs_nothing(masked):
    reader = BatchReader(masked, batch_size=8, shuffle=False, targets=TARGETS)
    _, _, weights = model_values(reader.read(0, 1), TARGETS)
    for name in TARGETS:
        assert (weights[name].ravel() > 0).tolist() == [True] * 2 + [False] * 6


def test_tf_data_gives_the_same(masked):
    inputs, targets, weights = next(iter(load(masked, batch_size=10, shuffle=False, targets=TARGETS)))
    _, expected, expected_weights = read(masked, batch_size=10, shuffle=False)
    assert inputs["lightness"].shape == (10, 32, 32, 1)
    for name in TARGETS:
        assert targets[name].shape[-1] == {"mask": 1, "ab": 2, "masked_ab": 2}.get(name, 3)
        np.testing.assert_array_equal(targets[name], expected[name])
        np.testing.assert_array_equal(weights[name], expected_weights[name])
