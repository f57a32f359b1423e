import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import encode_ab
from densecolor.errors import DensecolorError
from densecolor.losses import AbDistributionCrossentropy
from densecolor.losses import default_losses

RANDOM = np.random.default_rng(0)
AB = RANDOM.integers(-90, 90, (3, 9, 14, 2)).astype(np.float32)  # 9 x 14 pixels: 3 x 4 predicted ones
PREDICTED = RANDOM.dirichlet(np.ones(313), size=(3, 3, 4)).astype(np.float32)
PRIOR = RANDOM.dirichlet(np.full(313, 0.3))


def crossentropy(ab, neighbours=5):
    """Of each predicted pixel, by the formula."""
    return -(encode_ab(ab, neighbours) * np.log(PREDICTED)).sum(axis=-1)


@pytest.mark.parametrize("neighbours", [5, 10])
def test_every_fourth_pixel_is_compared_with_its_soft_encoding(neighbours):
    loss = AbDistributionCrossentropy(neighbours=neighbours)
    expected = crossentropy(AB[:, ::4, ::4], neighbours)
    np.testing.assert_allclose(loss.call(AB / 128, PREDICTED), expected, rtol=1e-4)
    assert float(loss(AB / 128, PREDICTED)) == pytest.approx(expected.mean(), rel=1e-5)


def test_area_averages_are_compared_on_request():
    areas = [[AB[:, y : y + 4, x : x + 4].mean(axis=(1, 2)) for x in range(0, 14, 4)] for y in range(0, 9, 4)]
    expected = crossentropy(np.moveaxis(np.array(areas), 2, 0))
    loss = AbDistributionCrossentropy(subsampling="average")
    np.testing.assert_allclose(loss.call(AB / 128, PREDICTED), expected, rtol=1e-4)
    traced = tf.function(loss.call, input_signature=[tf.TensorSpec((None, None, None, n)) for n in (2, 313)])
    np.testing.assert_allclose(traced(AB / 128, PREDICTED), expected, rtol=1e-4)


def test_a_pixel_counts_by_the_weight_of_its_nearest_bin():
    ab = AB[:, ::4, ::4]
    nearest = np.square(ab[..., None, :] - AB_BINS).sum(axis=-1).argmin(axis=-1)
    weights = 1 / (PRIOR / 2 + 0.5 / 313)
    weights = (weights / (PRIOR * weights).sum())[nearest]
    loss = AbDistributionCrossentropy(PRIOR)
    np.testing.assert_allclose(loss.call(AB / 128, PREDICTED), weights * crossentropy(ab), rtol=1e-4)


def test_gray_pictures_count_nothing():
    ab = AB.copy()
    ab[1] = RANDOM.integers(-4, 5, ab[1].shape)
    values = AbDistributionCrossentropy().call(ab / 128, PREDICTED)
    assert (values.numpy() == 0).all(axis=(1, 2)).tolist() == [False, True, False]
    assert (AbDistributionCrossentropy(gray_threshold=0).call(ab / 128, PREDICTED).numpy() > 0).all()


def test_the_gradient_is_that_of_a_softmax_even_where_a_probability_is_tiny():
    logits = tf.constant(RANDOM.normal(0, 15, (1, 1, 1, 313)).astype(np.float32))
    ab = np.float32([[[[30, -40]]]])
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = AbDistributionCrossentropy()(ab / 128, tf.nn.softmax(logits))
    expected = tf.nn.softmax(logits) - encode_ab(ab)
    np.testing.assert_allclose(tape.gradient(loss, logits), expected, atol=1e-5)


def test_the_loss_is_read_back_with_its_prior():
    loss = AbDistributionCrossentropy(PRIOR, neighbours=10, subsampling="average")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()
    np.testing.assert_array_equal(again.call(AB / 128, PREDICTED), loss.call(AB / 128, PREDICTED))


def test_wrong_options_are_refused():
    with pytest.raises(DensecolorError, match=r"`prior` must have 313 numbers, one a bin\. Received: 2"):
        AbDistributionCrossentropy([0.5, 0.5])
    with pytest.raises(DensecolorError, match=r"Unknown subsampling='first'\. Choose from every_fourth, average"):
        AbDistributionCrossentropy(subsampling="first")


def test_decoded_colours_have_no_loss_of_their_own():
    losses = default_losses(["ab", "ab_distribution"], ab_prior=PRIOR)
    assert losses["ab"] is None
    assert losses["ab_distribution"].prior == PRIOR.tolist()
