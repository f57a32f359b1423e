import keras
import numpy as np
import pytest

from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.dataset.batches import model_values


def lightness_of(dataset):
    return [inputs["lightness"].numpy() for inputs, _, _ in dataset]


def test_repeated_batches_are_the_reader_s(packed):
    reader = BatchReader(packed, batch_size=8, augment=True, seed=3)
    dataset = load(packed, batch_size=8, augment=True, seed=3, repeat=True).take(7)
    for number, (inputs, targets, weights) in enumerate(dataset):
        expected = model_values(reader.read(*divmod(number, 3)), reader.targets)
        np.testing.assert_array_equal(inputs["lightness"], expected[0]["lightness"])
        np.testing.assert_array_equal(targets["ab"], expected[1]["ab"])
        np.testing.assert_array_equal(weights["ab"], expected[2]["ab"])


def test_start_step_goes_on_where_another_stopped(packed):
    whole = lightness_of(load(packed, batch_size=8, repeat=True).take(8))
    rest = lightness_of(load(packed, batch_size=8, repeat=True, start_step=5).take(3))
    np.testing.assert_array_equal(whole[5:], rest)


def test_finite_data_set_is_reshuffled_and_reproducible(packed):
    dataset = load(packed, batch_size=8)
    assert int(dataset.cardinality()) == 3
    first, second = lightness_of(dataset), lightness_of(dataset)
    assert len(first) == len(second) == 3
    assert not np.array_equal(first, second)
    again = load(packed, batch_size=8)
    np.testing.assert_array_equal(lightness_of(again), first)
    np.testing.assert_array_equal(lightness_of(again), second)


def test_exactly_the_targets_asked_for(packed):
    _, targets, weights = next(iter(load(packed, targets=("label", "ab"))))
    assert set(targets) == set(weights) == {"ab", "label"}
    assert targets["label"].shape == (32,)


@pytest.mark.parametrize("batch_size", [3, 8, 21])
def test_padding_leaves_loss_and_metrics_exact(packed, batch_size):
    """A model that predicts no colour has the mean square of ab as its error, however the batches fall."""
    inputs = {"lightness": keras.Input((None, None, 1), name="lightness")}
    outputs = {"ab": keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="ab")(inputs["lightness"])}
    model = keras.Model(inputs, outputs)
    metric = keras.metrics.MeanSquaredError(name="ab_mse")
    model.compile(loss={"ab": "mse"}, weighted_metrics={"ab": [metric]})
    result = model.evaluate(load(packed, batch_size=batch_size), return_dict=True, verbose=0)
    reader = BatchReader(packed, batch_size=21)
    expected = np.mean((reader.read(0, 0).ab / 128) ** 2)
    assert result["ab_mse"] == pytest.approx(expected, rel=1e-5)
    assert result["loss"] == pytest.approx(expected, rel=1e-5)
