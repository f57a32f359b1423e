"""Dense blocks that store less: the plain network in all that can be seen of it."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
import training_pairs
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import to_numpy
from training_pairs import differences

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.models import kernels
from densecolor.models import tensorflow_kernels

SMALL = {
    "num_classes": 3,
    "layers_per_block": 2,
    "growth_rate": 3,
    "branch": "mobilenet",
    "branch_size": 32,
    "branch_pooling": True,
    "fc_widths": (6, 4),
}
EFFICIENT = SMALL | {"memory_efficient": True}


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-5), ("mixed_bfloat16", 0.05)])
def test_training_is_that_of_the_plain_network(dtype, tolerance):
    assert differences(dtype) < tolerance


@pytest.mark.slow  # for its compiling
def test_training_is_that_of_the_plain_network_on_jax():
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    environment = os.environ | {"KERAS_BACKEND": "jax"}  # where Keras normalises in float32 whatever it is given
    command = [sys.executable, training_pairs.__file__, "float32"]
    output = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
    assert float(output) < 1e-5


@pytest.mark.slow
def test_colorizer_contract(tmp_path):
    check_colorizer("dense", EFFICIENT | {"stem_strides": 2, "joint": True}, tmp_path)


@pytest.mark.parametrize("saved", [SMALL, EFFICIENT])
def test_a_checkpoint_of_either_form_fits_the_other(saved, tmp_path):
    model = models.create("dense", **saved)
    random = np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(random.uniform(0.1, 0.5, variable.shape))
    save_model(model, tmp_path / "model.keras")
    assert load_model(tmp_path / "model.keras").memory_efficient == model.memory_efficient
    other = models.create("dense", **saved | {"memory_efficient": not model.memory_efficient})
    assert [layer.name for layer in other.layers] == [layer.name for layer in model.layers]
    assert [variable.path for variable in other.weights] == [variable.path for variable in model.weights]
    other.load_weights(tmp_path / "model.keras")
    expected, answers = to_numpy(model(pictures(2, 9, 14))), to_numpy(other(pictures(2, 9, 14)))
    for name, value in expected.items():
        np.testing.assert_allclose(answers[name], value, rtol=1e-5, atol=1e-5)


def test_a_guided_network_has_efficient_blocks_too():
    options = {key: value for key, value in EFFICIENT.items() if key != "num_classes"}
    model = models.create("mask_guided", colorizer="dense", colorizer_options=options, num_classes=3, mask_width=4)
    plain = models.create(
        "mask_guided", colorizer="dense", colorizer_options=options | {"memory_efficient": False}, num_classes=3,
        mask_width=4,
    )  # fmt: skip
    model.set_weights(plain.get_weights())
    with tf.GradientTape() as tape:
        answers, expected = model(pictures(2, 8, 8), training=True), plain(pictures(2, 8, 8), training=True)
        loss = tf.reduce_mean(answers["mask"] ** 2) + tf.reduce_mean(answers["ab"] ** 2)
    np.testing.assert_allclose(answers["mask"], expected["mask"], atol=1e-5)
    kernel = model.get_layer("block1_1_growth_conv").kernel
    assert np.abs(tape.gradient(loss, [kernel.value])[0]).max() > 0


@pytest.mark.parametrize("size", [1, 3])
@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_kernel_and_its_gradients(size, traced, dtype, tolerance):
    random = np.random.default_rng(0)
    channels = (5, 3, 3)
    parts = [tf.constant(random.normal(size=(2, 7, 6, count)), dtype) for count in channels]
    factor, offset = (tf.constant(random.normal(size=sum(channels)), dtype) for _ in range(2))
    kernel = tf.constant(random.normal(0, 0.2, (size, size, sum(channels), 4)), dtype)
    weights = tf.constant(random.normal(size=(2, 7, 6, 4)), dtype)

    def run(function):
        arguments = [factor, offset, kernel, *parts]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            outputs = function(parts, factor, offset, kernel)
            loss = tf.reduce_sum(outputs * weights)
        return [outputs, *tape.gradient(loss, arguments)]

    found = (tf.function(run) if traced else run)(kernels.normalized_convolution)
    for value, expected in zip(found, run(kernels.plain_normalized_convolution), strict=True):
        np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)])
def test_moments_and_their_gradient(dtype, tolerance):
    random = np.random.default_rng(0)
    x, weights = (tf.constant(random.normal(1, 2, shape), dtype) for shape in ((3, 5, 4, 6), (2, 6)))

    def run(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            moments = function(x, dtype)
            loss = tf.reduce_sum(moments * weights)
        return moments, tape.gradient(loss, x)

    for value, expected in zip(run(kernels.channel_moments), run(kernels.plain_channel_moments), strict=True):
        np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance)


def layer(part, stored, efficient):
    """A bottleneck, its statistics and a growth convolution, and the gradients of all that the three are made of."""
    random = np.random.default_rng(0)
    factors = [tf.constant(random.uniform(0.5, 1, 5)), tf.constant(random.normal(size=5))]
    first, second = (tf.constant(random.normal(size=shape)) for shape in ((1, 1, 5, 4), (3, 3, 4, 2)))
    convolve = kernels.normalized_convolution if efficient else kernels.plain_normalized_convolution
    moments = kernels.channel_moments if efficient else kernels.plain_channel_moments
    options = [stored] if efficient else []
    with tf.GradientTape() as tape:
        arguments = [part, *factors, first, second]
        tape.watch(arguments)
        bottleneck = convolve([part], *factors, first, *options)
        mean, variance = tf.unstack(moments(bottleneck, "float64"))
        grown = convolve([bottleneck], tf.math.rsqrt(variance), -mean, second)
        loss = tf.reduce_sum(grown**3)
    return [grown, *tape.gradient(loss, arguments)]


@pytest.mark.parametrize("way", ["eager", "traced", "xla"])
@pytest.mark.parametrize("stored", [True, False])
def test_what_is_not_stored_is_computed_again(stored, way):
    part = tf.constant(np.random.default_rng(1).normal(size=(2, 7, 6, 5)))
    function = layer if way == "eager" else tf.function(layer, jit_compile=way == "xla")
    for value, expected in zip(function(part, stored, True), layer(part, stored, False), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-10)
    if way == "traced":
        operations = function.get_concrete_function(part, stored, True).graph.get_operations()
        convolutions = [operation for operation in operations if operation.type == "Conv2D"]
        assert len(convolutions) == (2 if stored else 3)  # the bottleneck, the growth, and the bottleneck once more


def test_rectification_and_its_gradients():
    random = np.random.default_rng(0)
    parts = [tf.constant(random.normal(size=(2, 3, 4, count))) for count in (3, 2)]
    factor, offset, weights = (tf.constant(random.normal(size=shape)) for shape in (5, 5, (2, 3, 4, 5)))

    def run(function):
        with tf.GradientTape() as tape:
            tape.watch([factor, offset, *parts])
            rectified = function(parts, factor, offset, "float64")
            loss = tf.reduce_sum(rectified * weights)
        return [rectified, *tape.gradient(loss, [factor, offset, *parts])]

    for value, expected in zip(run(kernels.rectification), run(kernels.plain_rectification), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("size", [1, 3, 5])
def test_gradients_by_products_are_those_of_convolutions(size):
    """The former are used without a GPU, the latter with one."""
    random = np.random.default_rng(0)
    upstream, rectified, kernel = (
        tf.constant(random.normal(size=shape)) for shape in ((2, 7, 6, 4), (2, 7, 6, 3), (size, size, 3, 4))
    )
    found = tensorflow_kernels._by_products(upstream, rectified, kernel)
    expected = tensorflow_kernels._by_convolutions(upstream, rectified, kernel)
    for value, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-12, atol=1e-12)


def test_kernel_under_xla():
    """Which knows no control dependencies, and takes shapes as they are."""
    x, kernel = tf.random.normal((1, 6, 6, 4)), tf.random.normal((3, 3, 4, 2))

    @tf.function(jit_compile=True)
    def gradient(function):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(function([x], tf.ones(4), tf.zeros(4), kernel) ** 2)
        return tape.gradient(loss, x)

    found, expected = (
        gradient(function) for function in (kernels.normalized_convolution, kernels.plain_normalized_convolution)
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)
    assert keras.backend.backend() == "tensorflow"
