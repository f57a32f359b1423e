import keras
import numpy as np
import pytest
import tensorflow as tf

from densecolor.errors import DensecolorError
from densecolor.models import PatchDiscriminator
from densecolor.models import list_models
from densecolor.models.discriminators import NORMALIZATIONS
from densecolor.models.discriminators import PictureNormalization
from densecolor.models.discriminators import SpectralConv2D
from densecolor.models.discriminators import smallest_size


def pictures(size, count=2, seed=0, mask=False):
    random = np.random.default_rng(seed)
    channels = {"lightness": 1, "ab": 2} | ({"mask": 1} if mask else {})
    return {
        name: random.uniform(-1, 1, (count, size, size, channel)).astype("float32")
        for name, channel in channels.items()
    }


def test_size_of_the_published_one():
    """pix2pix's 70 x 70 discriminator: 30 x 30 scores, 2,765,633 trained parameters for 3 channels, 2,766,657 for 4."""
    network = PatchDiscriminator(normalization="batch")
    assert network(pictures(256, 1)).shape == (1, 30, 30, 1)
    trained = sum(np.prod(variable.shape) for variable in network.trainable_variables)
    assert trained == 2_765_633
    with_mask = PatchDiscriminator(sees_mask=True, normalization="batch")
    assert sum(np.prod(variable.shape) for variable in with_mask.trainable_variables) == 2_766_657


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70)])
def test_receptive_field(layers, field):
    network = PatchDiscriminator(layers=layers, filters=2, normalization="none")
    inputs = {name: tf.constant(value) for name, value in pictures(96, 1).items()}
    with tf.GradientTape() as tape:
        tape.watch(inputs["ab"])
        scores = network(inputs)
        score = scores[0, scores.shape[1] // 2, scores.shape[2] // 2, 0]
    gradient = tape.gradient(score, inputs["ab"]).numpy()
    rows, columns = np.abs(gradient[0]).sum(axis=(1, 2)), np.abs(gradient[0]).sum(axis=(0, 2))
    assert np.count_nonzero(rows) == np.count_nonzero(columns) == field


def test_smallest_size():
    for layers in (1, 2, 3):
        size, network = smallest_size(layers), PatchDiscriminator(layers=layers, filters=1, normalization="none")
        assert network(pictures(size)).shape == (2, 1, 1, 1)
        for smaller in range(1, size):  # TensorFlow may return nonsense there, so it is arithmetic that tells
            left = smaller
            for strides in [2] * layers + [1, 1]:
                left = (left + 2 - 4) // strides + 1
            assert left < 1


def test_not_a_colorizer():
    assert not [name for name in list_models() if "discriminator" in name or "patch" in name]


@pytest.mark.parametrize(
    ("options", "message"),
    [({"normalization": "group"}, "Unknown normalization='group'"), ({"layers": 0}, "`layers` must be an integer")],
)
def test_bad_options(options, message):
    with pytest.raises(DensecolorError, match=message):
        PatchDiscriminator(**options)


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
def test_only_batch_normalization_looks_at_the_other_pictures(normalization):
    network = PatchDiscriminator(layers=2, filters=4, normalization=normalization)
    both, alone = pictures(32), {name: value[:1] for name, value in pictures(32).items()}
    difference = np.abs(network(both, training=True).numpy()[:1] - network(alone, training=True).numpy()).max()
    assert (difference > 1e-3) == (normalization == "batch")


@pytest.mark.parametrize("normalization", NORMALIZATIONS)
@pytest.mark.parametrize("spectral", [False, True])
def test_a_pass_changes_nothing(normalization, spectral):
    network = PatchDiscriminator(layers=1, filters=4, normalization=normalization, spectral=spectral)
    before = network.get_weights()
    network(pictures(32), training=True)
    for one, other in zip(before, network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_round_trip_of_the_configuration(dtype):
    network = PatchDiscriminator(True, "ab", 1, 4, "layer", spectral=True, dtype=dtype)
    again = PatchDiscriminator.from_config(network.get_config())
    again.set_weights(network.get_weights())
    inputs = pictures(32, mask=True)
    assert network(inputs).dtype == "float32"
    np.testing.assert_array_equal(network(inputs), again(inputs))
    assert again.get_layer("conv1").compute_dtype == dtype.removeprefix("mixed_")
    assert all(variable.dtype == "float32" for variable in again.variables)


def test_spectral_normalization_against_the_singular_values():
    layer = SpectralConv2D(5, 4, padding="valid", use_bias=False)
    layer.build((None, 4, 4, 3))
    for _ in range(2000):
        layer.iterate()
    kernel = layer.kernel.numpy()
    sigma = np.linalg.svd(kernel.reshape(-1, 5), compute_uv=False)[0]
    patch = np.random.default_rng(1).normal(size=(1, 4, 4, 3)).astype("float32")
    expected = patch.reshape(1, -1) @ kernel.reshape(-1, 5) / sigma
    np.testing.assert_allclose(layer(patch)[0, 0], expected, rtol=1e-4)
    np.testing.assert_array_equal(layer.kernel.numpy(), kernel)


def test_gradient_of_spectral_normalization():
    """Miyato et al., equation 12, through the vectors as constants: (g - <g, W> u v^T / sigma) / sigma."""
    layer = SpectralConv2D(3, 2, padding="valid", use_bias=False)
    layer.build((None, 2, 2, 2))
    for _ in range(2000):
        layer.iterate()
    random = np.random.default_rng(2)
    patch, weights = random.normal(size=(1, 2, 2, 2)).astype("float32"), random.normal(size=3).astype("float32")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(patch) * weights)
    gradient = tape.gradient(loss, layer.kernel.value).numpy().reshape(-1, 3)
    matrix = layer.kernel.numpy().reshape(-1, 3)
    left, values, right = np.linalg.svd(matrix, full_matrices=False)
    plain = np.outer(patch.reshape(-1), weights)
    expected = (plain - (plain * matrix).sum() / values[0] * np.outer(left[:, 0], right[0])) / values[0]
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("each_channel", "groups"), [(True, -1), (False, 1)])
def test_normalization_against_keras(each_channel, groups):
    """Values and first derivatives; Keras' second derivatives are wrong on TensorFlow."""
    random = np.random.default_rng(4)
    features = tf.Variable(random.normal(3, 2, (2, 5, 6, 4)).astype("float32"))
    direction, results = random.normal(size=features.shape).astype("float32"), []
    for layer in (PictureNormalization(each_channel), keras.layers.GroupNormalization(groups, epsilon=1e-5)):
        with tf.GradientTape() as tape:
            values = layer(features)
            loss = tf.reduce_sum(values * direction)
        results.append((values, tape.gradient(loss, features)))
    np.testing.assert_allclose(results[0][0], results[1][0], atol=1e-5)
    np.testing.assert_allclose(results[0][1], results[1][1], atol=1e-5)


def test_initial_weights_are_the_paper_s():
    network = PatchDiscriminator()
    assert np.std(network.get_layer("conv3").kernel) == pytest.approx(0.02, rel=0.01)
