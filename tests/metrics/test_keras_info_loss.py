import keras
import numpy as np
import pytest

from densecolor.metrics import info_loss
from densecolor.metrics.keras_info_loss import InfoLoss


def pictures(seed, spread):
    return np.random.default_rng(seed).normal(0, spread, size=(5, 9, 7, 2)).astype(np.float32)


def reference(true, predicted):
    """Of ab / 128, by the NumPy metric."""
    return np.mean([info_loss(t * np.float32(128), p * np.float32(128)) for t, p in zip(true, predicted, strict=True)])


@pytest.mark.parametrize("spread", [0.01, 0.1, 1.0])  # the last reaches far beyond [-1, 1)
def test_is_the_numpy_metric(spread):
    true, predicted = pictures(0, spread), pictures(1, spread / 3)
    metric = InfoLoss()
    metric.update_state(true, predicted)
    assert float(metric.result()) == pytest.approx(reference(true, predicted), abs=1e-5)


def test_halves_are_rounded_alike():
    true = (np.arange(-4, 4, 0.25, np.float32).reshape(1, 4, 4, 2)) / 128
    metric = InfoLoss()
    metric.update_state(true, np.zeros_like(true))
    assert float(metric.result()) == pytest.approx(reference(true, np.zeros_like(true)), abs=1e-5)


def test_one_colour_against_two():
    metric = InfoLoss()
    metric.update_state(np.float32([[[[0, 0], [0.5, 0]]]]), np.zeros((1, 1, 2, 2), np.float32))
    assert float(metric.result()) == 1


def test_padding_does_not_count_over_ragged_batches():
    """Batches of 4 for 5 pictures; padding repeats pictures and weighs 0, the others weigh 8 / 5."""
    true, predicted = pictures(0, 0.1), pictures(1, 0.02)
    metric = InfoLoss()
    for rows, weight in (([0, 1, 2, 3], [1.6] * 4), ([4, 0, 1, 2], [1.6, 0, 0, 0])):
        metric.update_state(true[rows], predicted[rows], np.float32(weight).reshape(4, 1, 1))
    assert float(metric.result()) == pytest.approx(reference(true, predicted), abs=1e-5)
    metric.reset_state()
    metric.update_state(true[:1], predicted[:1])
    assert float(metric.result()) == pytest.approx(reference(true[:1], predicted[:1]), abs=1e-5)


def test_a_diverged_prediction_is_no_crash():
    metric = InfoLoss()
    metric.update_state(pictures(0, 0.1), np.full((5, 9, 7, 2), np.nan, np.float32))
    metric.update_state(pictures(0, 0.1), np.full((5, 9, 7, 2), np.inf, np.float32))
    assert np.isfinite(float(metric.result()))


def test_is_serialisable():
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(InfoLoss("other")))
    assert (type(again), again.name) == (InfoLoss, "other")
