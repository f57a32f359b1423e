import keras
import numpy as np
import pytest

from densecolor.models.concrete_mask import ConcreteSample
from densecolor.models.concrete_mask import MaskBudget

RANDOM = np.random.default_rng(0)


def samples(logit, temperature, count=200_000):
    keras.utils.set_random_seed(1)
    layer = ConcreteSample(temperature)
    return np.array(layer(np.full((1, count, 1, 1), logit, np.float32), training=True)).ravel()


@pytest.mark.parametrize("logit", [-1.5, 0.0, 2.0])
@pytest.mark.parametrize("temperature", [0.3, 2 / 3, 1.0])
def test_a_sample_is_foreground_as_often_as_the_probability_says(logit, temperature):
    """Whatever the temperature: P(sample > 1/2) = sigmoid(logit) (Maddison et al., proposition 1)."""
    share = (samples(logit, temperature) > 0.5).mean()
    assert share == pytest.approx(1 / (1 + np.exp(-logit)), abs=0.005)


def test_samples_have_the_distribution_of_the_paper():
    """Quantiles of the binary concrete distribution: sigmoid((logit + log u - log(1 - u)) / temperature)."""
    quantiles = np.array([0.1, 0.25, 0.5, 0.75, 0.9])
    drawn = np.quantile(samples(0.5, 0.8), quantiles)
    expected = 1 / (1 + np.exp(-(0.5 + np.log(quantiles / (1 - quantiles))) / 0.8))
    np.testing.assert_allclose(drawn, expected, atol=0.01)


def test_colder_samples_are_more_binary():
    middle = [((drawn > 0.1) & (drawn < 0.9)).mean() for drawn in (samples(0, 1.0), samples(0, 0.2))]
    assert middle[1] < middle[0] / 2


def test_nothing_is_random_outside_of_training():
    logits = np.float32([-2, -0.1, 0.1, 3]).reshape(1, 2, 2, 1)
    np.testing.assert_array_equal(ConcreteSample()(logits), np.float32([0, 0, 1, 1]).reshape(1, 2, 2, 1))


def test_the_gradient_goes_through_the_sample():
    import tensorflow as tf

    logits = tf.Variable(RANDOM.normal(size=(1, 4, 4, 1)).astype(np.float32))
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(ConcreteSample()(logits, training=True))
    assert (np.array(tape.gradient(total, logits)) > 0).all()


def test_the_budget_by_hand():
    mask = RANDOM.uniform(0, 1, (3, 5, 4, 1)).astype(np.float32)
    layer = MaskBudget(0.3, weight=2.0, smoothness=0.25)
    np.testing.assert_array_equal(layer(mask, training=True), mask)
    variation = np.abs(np.diff(mask, axis=1)).mean() + np.abs(np.diff(mask, axis=2)).mean()
    assert float(layer.losses[0]) == pytest.approx(2 * (mask.mean() - 0.3) + 0.25 * variation, rel=1e-5)
    layer(mask)
    assert layer.losses == []


def test_a_mask_below_its_share_is_left_alone():
    layer = MaskBudget(0.6, weight=2.0, smoothness=0.0)
    layer(np.full((1, 4, 4, 1), 0.5, np.float32), training=True)
    assert float(layer.losses[0]) == 0


def test_a_single_pixel_varies_in_no_direction():
    layer = MaskBudget(0.5, weight=1.0)
    layer(np.ones((1, 1, 1, 1), np.float32), training=True)
    assert float(layer.losses[0]) == pytest.approx(0.5)


def test_fit_brings_a_mask_down_to_its_share():
    inputs = keras.Input((8, 8, 1))
    logits = keras.layers.Conv2D(1, 1)(inputs)
    model = keras.Model(inputs, MaskBudget(0.2, weight=1.0)(keras.layers.Activation("sigmoid")(logits)))
    model.compile(keras.optimizers.SGD(0.5), jit_compile=False)
    x = RANDOM.normal(size=(16, 8, 8, 1)).astype(np.float32)
    model.fit(np.tile(x, (80, 1, 1, 1)), batch_size=16, verbose=0)
    assert np.array(model(x)).mean() == pytest.approx(0.2, abs=0.04)
