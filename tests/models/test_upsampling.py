import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor.models.upsampling import UPSAMPLINGS
from densecolor.models.upsampling import PixelShuffle
from densecolor.models.upsampling import apply_upsampling

PARAMETERS = {"nearest": 0, "bilinear": 0, "transposed": (16 * 3 + 1) * 3, "subpixel": (9 * 3 + 1) * 12}


@pytest.mark.parametrize("kind", UPSAMPLINGS)
def test_upsampling_doubles_any_size(kind):
    x = keras.Input((None, None, 3))
    model = keras.Model(x, apply_upsampling(x, kind, "up"))
    assert model.output_shape == (None, None, None, 3)
    assert model.count_params() == PARAMETERS[kind]
    traced = tf.function(model, input_signature=[tf.TensorSpec((None, None, None, 3))])
    for shape in ((1, 1, 1, 3), (2, 3, 5, 3)):
        pixels = np.random.default_rng(0).random(shape, np.float32)
        assert model(pixels).shape == (shape[0], 2 * shape[1], 2 * shape[2], 3)
        np.testing.assert_allclose(traced(pixels), model(pixels), atol=1e-6)


def test_nearest_repeats_pixels():
    x = np.float32([[1, 2], [3, 4]]).reshape(1, 2, 2, 1)
    expected = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    np.testing.assert_array_equal(apply_upsampling(x, "nearest", "up")[0, ..., 0], expected)


@pytest.mark.parametrize("factor", [2, 3])
def test_channels_become_pixels_as_in_depth_to_space(factor):
    x = np.random.default_rng(0).random((2, 3, 4, 2 * factor**2), np.float32)
    np.testing.assert_array_equal(PixelShuffle(factor)(x), tf.nn.depth_to_space(x, factor))
