import keras
import numpy as np
import pytest

from densecolor.losses import ColorMSE
from densecolor.losses import FlooredCrossentropy
from densecolor.losses import default_losses

RANDOM = np.random.default_rng(0)


def test_color_mse_averages_over_pixels_channels_and_batch():
    true, predicted = RANDOM.normal(size=(2, 3, 5, 4, 2)).astype(np.float32)
    assert float(ColorMSE()(true, predicted)) == pytest.approx(np.square(true - predicted).mean(), rel=1e-6)


def test_padded_rows_add_nothing_and_count_in_the_divisor():
    true, predicted = RANDOM.normal(size=(2, 4, 5, 4, 2)).astype(np.float32)
    weights = np.float32([1, 1, 1, 0]).reshape(4, 1, 1)
    expected = np.square(true - predicted)[:3].mean(axis=(1, 2, 3)).sum() / 4
    assert float(ColorMSE()(true, predicted, sample_weight=weights)) == pytest.approx(expected, rel=1e-6)


def test_crossentropy_of_class_indices():
    probabilities = np.float32([[0.2, 0.3, 0.5], [0.9, 0.05, 0.05]])
    expected = -(np.log(0.5) + np.log(0.9)) / 2
    assert float(FlooredCrossentropy()(np.array([2, 0]), probabilities)) == pytest.approx(expected, rel=1e-6)
    assert float(FlooredCrossentropy()(np.array([[2], [0]]), probabilities)) == pytest.approx(expected, rel=1e-6)


def test_crossentropy_is_floored_at_1e_10():
    loss = FlooredCrossentropy()(np.array([0]), np.float32([[0, 1]]))
    assert float(loss) == pytest.approx(10 * np.log(10), rel=1e-6)


def test_unlabelled_pictures_weigh_nothing():
    probabilities = np.float32([[0.25, 0.75], [0.5, 0.5]])
    loss = FlooredCrossentropy()(np.array([1, -1]), probabilities, sample_weight=np.float32([1, 0]))
    assert float(loss) == pytest.approx(-np.log(0.75) / 2, rel=1e-6)


def test_losses_are_float32_under_a_half_precision_policy():
    keras.config.set_dtype_policy("mixed_float16")
    try:
        loss = FlooredCrossentropy()(np.array([0]), np.float32([[1e-9, 1]]))
    finally:
        keras.config.set_dtype_policy("float32")
    assert float(loss) == pytest.approx(9 * np.log(10), rel=1e-5)


def test_default_losses_follow_the_outputs():
    losses = default_losses(["ab", "label"])
    assert {name: type(loss) for name, loss in losses.items()} == {"ab": ColorMSE, "label": FlooredCrossentropy}
    assert set(default_losses(["ab"])) == {"ab"}


@pytest.mark.parametrize("loss", [ColorMSE(), FlooredCrossentropy(name="other")])
def test_losses_are_serialisable(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()
