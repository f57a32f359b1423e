import keras
import numpy as np
import pytest

from densecolor.losses import ColorMSE
from densecolor.losses import HueChromaCrossentropy
from densecolor.losses import default_losses

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.uniform(0, 1, (2, 3, 4, 2)).astype(np.float32)
PREDICTED = RANDOM.dirichlet(np.ones(32), size=(2, 3, 4, 2)).astype(np.float32)


def directly(true, predicted, hue_weight=5.0):
    hue, chroma = predicted[0][min(int(true[0] * 32), 31)], predicted[1][min(int(true[1] * 32), 31)]
    return -np.log(chroma) - hue_weight * true[1] * np.log(hue)


@pytest.mark.parametrize("hue_weight", [5.0, 0.5])
def test_chroma_counts_and_hue_in_proportion_to_chroma(hue_weight):
    places = list(np.ndindex(2, 3, 4))
    expected = [directly(TRUE[place], PREDICTED[place], hue_weight) for place in places]
    loss = HueChromaCrossentropy(hue_weight)
    assert float(loss(TRUE, PREDICTED)) == pytest.approx(np.mean(expected), rel=1e-5)


def test_only_sampled_pixels_count():
    sparse = np.zeros_like(PREDICTED)
    sampled = {0: [(0, 1), (2, 3)], 1: [(1, 1)]}
    for picture, places in sampled.items():
        for place in places:
            sparse[picture][place] = PREDICTED[picture][place]
    means = [
        np.mean([directly(TRUE[picture][place], PREDICTED[picture][place]) for place in places])
        for picture, places in sampled.items()
    ]
    assert float(HueChromaCrossentropy()(TRUE, sparse)) == pytest.approx(np.mean(means), rel=1e-5)
    weights = np.float32([2, 0]).reshape(2, 1, 1)
    assert float(HueChromaCrossentropy()(TRUE, sparse, sample_weight=weights)) == pytest.approx(means[0], rel=1e-5)


def test_the_ends_of_the_scales_are_in_the_last_bins():
    true = np.ones((1, 1, 1, 2), np.float32)
    predicted = np.zeros((1, 1, 1, 2, 32), np.float32)
    predicted[..., -1] = 1
    assert float(HueChromaCrossentropy()(true, predicted)) == 0


def test_the_loss_is_read_back():
    loss = HueChromaCrossentropy(hue_weight=2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert again.get_config() == loss.get_config()


def test_default_losses_know_it():
    losses = default_losses(["ab", "hue_chroma_distribution"])
    assert losses["ab"] is None
    assert type(losses["hue_chroma_distribution"]) is HueChromaCrossentropy
    assert type(default_losses(["ab"])["ab"]) is ColorMSE
