import keras
import numpy as np
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.models.cyclegan import create_translator

TINY = {"filters": 4, "blocks": 1}


def convolution(before, after, size=3):
    return (size**2 * before + 1) * after


def counted(filters, blocks):
    ways = convolution(3, filters, 7) + convolution(filters, 3, 7)
    ways += convolution(filters, 2 * filters) + convolution(2 * filters, 4 * filters)
    ways += convolution(4 * filters, 2 * filters) + convolution(2 * filters, filters)
    return ways + 2 * blocks * convolution(4 * filters, 4 * filters)


def test_parameters_of_the_published_network():
    assert counted(64, 9) == 11_378_179
    assert trainable_parameters(models.create("cyclegan")) == 11_378_179


def test_colorizer_contract(tmp_path):
    check_colorizer("cyclegan", TINY, tmp_path)


def test_the_way_up_undoes_the_places_of_the_way_down():
    """With kernels of a single 1 in the middle, both ways give every second pixel back at its place."""
    network = create_translator(4, 1)
    down, up = network.get_layer("down1_conv"), network.get_layer("up2_conv")
    for layer in (down, up):
        kernel = np.zeros(layer.kernel.shape, np.float32)
        kernel[1, 1, 0, 0] = 1
        layer.set_weights([kernel, np.zeros(layer.bias.shape)])
    x = np.random.default_rng(0).uniform(size=(1, 8, 8, 4)).astype(np.float32)
    pad, crop = network.get_layer("down1_pad"), network.get_layer("up2_crop")
    halved = np.pad(np.array(down(pad(x)))[..., :1], ((0, 0), (0, 0), (0, 0), (0, 7)))
    back = np.array(crop(up(halved)))[..., 0]
    np.testing.assert_allclose(back[:, ::2, ::2], x[:, ::2, ::2, 0], atol=1e-6)
    assert back.shape == (1, 8, 8)


def test_features_are_normalised_picture_by_picture():
    network = create_translator(4, 1)
    inside = keras.Model(network.input, network.get_layer("block1_b_norm").output)
    features = np.array(inside(np.repeat(pictures(2, 32, 32), 3, axis=-1)))
    np.testing.assert_allclose(features.mean(axis=(1, 2)), 0, atol=1e-4)
    np.testing.assert_allclose(features.std(axis=(1, 2)), 1, atol=0.1)
