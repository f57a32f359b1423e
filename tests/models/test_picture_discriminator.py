import itertools

import numpy as np
import pytest
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.errors import DensecolorError


def test_parameters_of_the_published_network():
    widths = (3, 64, 128, 256, 512)
    counted = sum((25 * before + 1) * after for before, after in itertools.pairwise(widths))
    counted += 2 * (128 + 256 + 512) + (4 * 4 * 512 + 1) * 64 + 64 + 1
    assert counted == 4_832_769
    assert trainable_parameters(models.PictureDiscriminator(64)) == 4_832_769


def test_one_score_for_each_picture():
    network = models.PictureDiscriminator(16, colors="rgb", layers=2, filters=4, normalization="layer")
    random = np.random.default_rng(0)
    inputs = {"lightness": random.uniform(size=(3, 16, 16, 1)), "rgb": random.uniform(size=(3, 16, 16, 3))}
    scores = np.array(network(inputs))
    assert scores.shape == (3, 1, 1, 1)
    alone = np.array(network({name: value[1:2] for name, value in inputs.items()}))
    np.testing.assert_allclose(alone, scores[1:2], atol=1e-5)
    again = models.PictureDiscriminator.from_config(network.get_config())
    assert again.get_config() == network.get_config()


def test_cyclegans_discriminator_sees_colours_alone():
    network = models.PatchDiscriminator(colors="rgb", sees_lightness=False, normalization="instance_plain")
    widths = (3, 64, 128, 256, 512, 1)
    counted = sum((16 * before + 1) * after for before, after in itertools.pairwise(widths))
    assert trainable_parameters(network) == counted == 2_764_737
    assert network({"rgb": np.zeros((1, 32, 32, 3))}).shape == (1, 2, 2, 1)


def test_too_small_pictures_are_refused():
    with pytest.raises(DensecolorError, match="4 layers need pictures of at least 16 pixels"):
        models.PictureDiscriminator(8)
