import keras
import numpy as np
import pytest

from densecolor.errors import DensecolorError
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


@pytest.mark.parametrize("loss", [ColorMSE(), FlooredCrossentropy(0.1, [1, 2], name="other")])
def test_losses_are_serialisable(loss):
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(again) is type(loss)
    assert again.get_config() == loss.get_config()


def test_label_smoothing_by_hand():
    probabilities = np.float32([[0.2, 0.3, 0.5]])
    expected = -0.9 * np.log(0.5) - 0.1 / 3 * (np.log(0.2) + np.log(0.3) + np.log(0.5))
    assert float(FlooredCrossentropy(label_smoothing=0.1)(np.array([2]), probabilities)) == pytest.approx(expected)


def test_label_smoothing_is_that_of_keras():
    probabilities = RANDOM.dirichlet(np.ones(5), size=6).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 4, 1])
    expected = keras.losses.CategoricalCrossentropy(label_smoothing=0.3)(np.eye(5)[labels], probabilities)
    assert float(FlooredCrossentropy(label_smoothing=0.3)(labels, probabilities)) == pytest.approx(float(expected))


def test_class_weights_by_hand():
    probabilities = np.float32([[0.25, 0.75], [0.5, 0.5], [0.5, 0.5]])
    loss = FlooredCrossentropy(class_weights=[3, 0.5])
    weights = np.float32([1, 1, 0])
    expected = -(0.5 * np.log(0.75) + 3 * np.log(0.5)) / 3
    assert float(loss(np.array([1, 0, -1]), probabilities, sample_weight=weights)) == pytest.approx(expected)


def test_label_options_reach_the_loss():
    loss = default_losses(["ab", "label"], label_smoothing=0.1, class_weights=[1, 2])["label"]
    assert (loss.label_smoothing, loss.class_weights) == (0.1, [1, 2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"label_smoothing": 1}, "at least 0 and below 1. Received: 1"),
        ({"label_smoothing": -0.1}, "`label_smoothing`"),
        ({"class_weights": [1, -1]}, "must be finite and not negative"),
        ({"class_weights": [1, float("nan")]}, "`class_weights`"),
    ],
)
def test_bad_label_options(options, message):
    with pytest.raises(DensecolorError, match=message):
        FlooredCrossentropy(**options)


def test_as_many_class_weights_as_classes():
    with pytest.raises(DensecolorError, match=r"one weight a class, 2\. Received: 3"):
        FlooredCrossentropy(class_weights=[1, 1, 1])(np.array([0]), np.float32([[0.5, 0.5]]))
