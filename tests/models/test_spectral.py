import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor.models.spectral import ReflectedSpectralConv2D

RANDOM = np.random.default_rng(0)


def layer_and_input(filters=4, kernel_size=3, strides=1, channels=3):
    layer = ReflectedSpectralConv2D(filters, kernel_size, strides)
    x = RANDOM.normal(size=(2, 8, 6, channels)).astype(np.float32)
    layer(x)
    return layer, x


def expected(x, kernel, strides):
    """Reflected borders by NumPy, and the convolution as a sum over the kernel's places."""
    border = (kernel.shape[0] - 1) // 2
    padded = np.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode="reflect")
    height, width = x.shape[1:3]
    return sum(
        padded[:, row : row + height : strides, column : column + width : strides] @ kernel[row, column]
        for row in range(kernel.shape[0])
        for column in range(kernel.shape[1])
    )


@pytest.mark.parametrize(("kernel_size", "strides"), [(3, 1), (3, 2), (7, 1), (1, 1)])
def test_converges_to_the_kernel_divided_by_its_largest_singular_value(kernel_size, strides):
    layer, x = layer_and_input(kernel_size=kernel_size, strides=strides)
    for _ in range(100):
        layer(x, training=True)
    kernel = np.array(layer.kernel)
    largest = np.linalg.svd(kernel.reshape(-1, 4), compute_uv=False)[0]
    np.testing.assert_allclose(layer(x), expected(x, kernel / largest, strides), rtol=1e-3, atol=1e-4)


def test_the_vector_moves_in_training_only_and_the_kernel_never():
    layer, x = layer_and_input()
    kernel, vector = np.array(layer.kernel), np.array(layer.vector)
    first = np.array(layer(x))
    np.testing.assert_array_equal(layer(x), first)
    np.testing.assert_array_equal(layer.vector, vector)
    layer(x, training=True)
    assert not np.allclose(layer.vector, vector)
    assert np.linalg.norm(layer.vector) == pytest.approx(1, rel=1e-5)
    np.testing.assert_array_equal(layer.kernel, kernel)


def test_the_gradient_is_that_of_the_divided_kernel():
    """The output does not change with the kernel's scale, so the gradient is at right angles to the kernel."""
    layer, x = layer_and_input()
    for _ in range(100):
        layer(x, training=True)
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(tf.sin(layer(x)))
    gradient = np.array(tape.gradient(total, layer.kernel.value))
    cosine = np.sum(gradient * layer.kernel) / np.linalg.norm(gradient) / np.linalg.norm(layer.kernel)
    assert abs(cosine) < 1e-3


def test_only_the_kernel_is_trained_and_all_is_restored():
    layer, _ = layer_and_input()
    assert [variable.name for variable in layer.trainable_variables] == ["kernel"]
    assert [variable.name for variable in layer.non_trainable_variables] == ["vector"]
    again = ReflectedSpectralConv2D.from_config(layer.get_config())
    assert (again.filters, again.kernel_size, again.strides) == (4, 3, 1)


def test_half_precision_keeps_the_norm_in_float32():
    layer = ReflectedSpectralConv2D(4, 3, dtype="mixed_bfloat16")
    x = RANDOM.normal(size=(1, 8, 8, 3)).astype(np.float32)
    assert keras.backend.standardize_dtype(layer(x).dtype) == "bfloat16"
    assert {variable.dtype for variable in layer.weights} == {"float32"}
    exact = ReflectedSpectralConv2D(4, 3)
    exact.build(x.shape)
    exact.set_weights(layer.get_weights())
    np.testing.assert_allclose(keras.ops.cast(layer(x), "float32"), exact(x), atol=0.05)


def test_the_shape_is_known_before_and_is_right():
    for size in ((8, 6), (7, 5)):
        layer = ReflectedSpectralConv2D(2, 3, 2)
        x = np.zeros((1, *size, 3), np.float32)
        assert tuple(layer(x).shape) == layer.compute_output_shape(x.shape)
    assert ReflectedSpectralConv2D(2, 3, 2).compute_output_shape((None, None, 9, 3)) == (None, None, 5, 2)
