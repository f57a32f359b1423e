import contextlib

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor.models.layers import CropLike
from densecolor.models.layers import Enlarge
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import ResizeTo
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import spread_over


@pytest.mark.parametrize(("height", "width"), [(1, 1), (5, 8), (8, 3)])
def test_padding_repeats_the_border_and_cropping_undoes_it(height, width):
    x = np.arange(2 * height * width * 3, dtype=np.float32).reshape(2, height, width, 3)
    padded = PadToMultiple(4)(x)
    wanted = [(0, 0), (0, -height % 4), (0, -width % 4), (0, 0)]
    np.testing.assert_array_equal(padded, np.pad(x, wanted, mode="edge"))
    np.testing.assert_array_equal(CropLike()([padded, x[..., :1]]), x)


def test_shapes_are_known_before_the_sizes_are():
    x = keras.Input((None, 10, 3))
    padded = PadToMultiple(4)(x)
    assert padded.shape == (None, None, 12, 3)
    assert CropLike()([padded, x]).shape == (None, None, 10, 3)


def test_a_vector_is_spread_over_all_pixels():
    features = np.full((2, 3, 4, 5), 7, np.float32)
    spread = spread_over(np.float32([[1, 2], [3, 4]]), features)
    assert spread.shape == (2, 3, 4, 2)
    assert (np.asarray(spread[1]) == [3, 4]).all()


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_enlarging_unknown_sizes_is_bilinear_interpolation(factor):
    layer = Enlarge(factor)
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 2))])
    for height, width in ((1, 1), (3, 5)):
        x = np.random.default_rng(0).random((2, height, width, 2), np.float32)
        enlarged = np.stack([cv2.resize(one, (width * factor, height * factor)).reshape(-1) for one in x])
        for result in (layer(x), traced(x)):
            assert result.shape == (2, height * factor, width * factor, 2)
            np.testing.assert_allclose(np.reshape(result, enlarged.shape), enlarged, atol=1e-6)


@pytest.mark.parametrize("size", [1, 8, 40])
def test_resizing_to_a_size_is_antialiased_interpolation(size):
    layer = ResizeTo(size)
    assert layer(keras.Input((None, None, 2))).shape == (None, size, size, 2)
    traced = tf.function(layer, input_signature=[tf.TensorSpec((None, None, None, 2))])
    for height, width in ((1, 1), (33, 5), (40, 97)):
        x = np.random.default_rng(0).random((2, height, width, 2), np.float32)
        reference = tf.image.resize(x, (size, size), antialias=True)
        for result in (layer(x), traced(x)):
            np.testing.assert_allclose(result, reference, atol=2e-6)


def test_the_dtype_policy_is_put_back_after_an_error():
    with contextlib.suppress(KeyError), dtype_scope("mixed_bfloat16"):
        assert keras.layers.Dense(1).compute_dtype == "bfloat16"
        raise KeyError
    assert keras.config.dtype_policy().name == "float32"
