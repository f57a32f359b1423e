import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.color import lab_to_srgb
from densecolor.errors import DensecolorError
from densecolor.models.colorgan import NoiseMap
from densecolor.models.colorgan import NoiseVector
from densecolor.models.colorgan import StretchLike

TINY = {"filters": (4, 5, 6), "map_size": 9}
# Side, what is read beside the gray picture and the noise, and what is made; a convolution with bias.
TABLE = [(7, 0, 128), (5, 128, 64), (5, 64, 64), (5, 64, 64), (5, 64, 32)]


@pytest.mark.parametrize(
    ("options", "published"),
    [
        ({"noise_layers": 1}, 895_350),
        ({}, 898_550),
        ({"noise": "separate"}, 1_725_946),
        ({"noise": "maps"}, 898_550 - 413_698),
    ],
)
def test_parameters_of_the_published_network(options, published):
    layers, projections = options.get("noise_layers", 3), {"separate": 3, "maps": 0}.get(options.get("noise"), 1)
    counted = projections * (100 * 64 * 64 + 64 * 64 + 2)
    for place, (side, before, after) in enumerate(TABLE):
        counted += (side**2 * (1 + before + (place < layers)) + 1) * after + 2 * after
    counted += (25 * (1 + 32) + 1) * 2
    assert counted == published
    assert trainable_parameters(models.create("colorgan", **options)) == published


@pytest.mark.parametrize("options", [{}, {"noise": "separate", "noise_layers": 2}, {"noise": "maps"}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("colorgan", TINY | options, tmp_path)


def test_samples_differ_and_each_is_its_own():
    model = models.create("colorgan", **TINY)
    for variable in model.trainable_variables:  # away from the tiny weights of the beginning
        variable.assign(variable + np.random.default_rng(0).normal(0, 0.3, variable.shape))
    seen = pictures(2, 40, 24)
    samples = [model.sample(seed).predict_on_batch(seen)["ab"] for seed in (0, 1, 2, 1)]
    np.testing.assert_array_equal(samples[1], samples[3])
    np.testing.assert_allclose(samples[0], model.predict_on_batch(seen)["ab"], atol=1e-6)
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert 128 * abs(samples[first] - samples[second]).mean() > 0.5
    alone = model.sample(2).predict_on_batch(seen[1:])["ab"]
    np.testing.assert_allclose(alone, samples[2][1:], atol=1e-4)  # whatever stands beside it in a batch


def test_colours_have_the_pictures_own_gray():
    """The inverse of JPEG's matrix: U = V = 0 is gray, and Y is kept by any U and V."""
    model = models.create("colorgan", **TINY)
    kernel, _ = model.get_layer("output_conv").get_weights()
    model.get_layer("output_conv").set_weights([0 * kernel, np.zeros(2)])
    lightness = pictures(1, 8, 8)
    np.testing.assert_allclose(128 * np.array(model(lightness)["ab"]), 0, atol=0.02)
    model.get_layer("output_conv").set_weights([0 * kernel, np.array([-0.2, 0.3])])
    rgb = np.array(model.get_layer("rgb_of_yuv")([np.full((1, 1, 1, 1), 0.5), np.array([[[[-0.2, 0.3]]]])]))[0, 0, 0]
    np.testing.assert_allclose(np.dot([0.299, 0.587, 0.114], rgb), 0.5, atol=1e-5)
    np.testing.assert_allclose(rgb[0] - 0.5, 1.402 * 0.15, atol=1e-5)
    ab = 128 * np.array(model(np.zeros((1, 4, 4, 1), np.float32))["ab"])[0, 0, 0]
    gray = lab_to_srgb(np.float32([50, 0, 0]))[0] / 255
    expected = gray + np.array([1.402 * 0.15, 0.344136 * 0.1 - 0.714136 * 0.15, -1.772 * 0.1])
    np.testing.assert_allclose(lab_to_srgb(np.array([50, *ab], np.float32)) / 255 - gray, expected - gray, atol=0.04)


def test_noise_is_new_for_each_picture_in_training_only():
    x = np.zeros((3, 8, 8, 1), np.float32)
    for layer in (NoiseVector(50, seed=1), NoiseMap(seed=1)):
        drawn = np.array(layer(x, training=True))
        assert abs(drawn[0] - drawn[1]).mean() > 0.1
        assert -1 <= drawn.min() < -0.8 < 0.8 < drawn.max() <= 1
        fixed = np.array(layer(x))
        np.testing.assert_array_equal(fixed[0], fixed[1])
        np.testing.assert_array_equal(fixed, np.array(layer(x)))


def test_stretching_repeats_pixels():
    x = np.arange(4, dtype=np.float32).reshape(1, 2, 2, 1)
    stretched = np.array(StretchLike()([x, np.zeros((1, 4, 3, 1))]))[0, ..., 0]
    assert stretched.tolist() == [[0, 0, 1], [0, 0, 1], [2, 2, 3], [2, 2, 3]]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"noise": "white"}, "noise"),
        ({"noise_layers": 4}, "`noise_layers` must be at most 3"),
        ({"map_size": 0}, "`map_size` must be positive"),
        ({"noise_seed": -1}, "A seed of noise"),
    ],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.create("colorgan", **TINY | options)
