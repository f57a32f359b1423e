import keras
import numpy as np
import pytest

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.color import lab_to_srgb
from densecolor.errors import DensecolorError
from densecolor.losses import PerceptualLoss
from densecolor.losses import ReconstructionLoss
from densecolor.losses import default_losses

RANDOM = np.random.default_rng(0)
TRUE, PREDICTED = RANDOM.uniform(0, 1, (2, 3, 17, 12, 3)).astype(np.float32)
WEIGHTS = np.float32([2, 1, 0]).reshape(3, 1, 1)


@pytest.fixture(scope="module")
def vgg(tmp_path_factory):
    """(network, path): keras.applications' VGG-16 with random weights, biases too, and the file of them."""
    keras.utils.set_random_seed(0)
    network = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    for layer in network.layers:
        if layer.weights:
            layer.bias.assign(RANDOM.normal(0, 0.1, layer.bias.shape))
    path = tmp_path_factory.mktemp("vgg") / "vgg16.weights.h5"
    network.save_weights(path)
    return network, path


def reference_features(network, pictures):
    """By Keras' own layers, one after the other, with the activation of the seventh convolution taken away."""
    x = pictures
    names = [layer.name for layer in network.layers]
    for layer in network.layers[1 : names.index("block3_conv3") + 1]:
        linear = {"activation": "linear"} if layer.name == "block3_conv3" else {}
        copy = type(layer).from_config(layer.get_config() | linear)
        copy.build(x.shape)
        copy.set_weights(layer.get_weights())
        x = copy(x)
    return np.array(x)


def test_is_the_difference_of_keras_features(vgg):
    network, path = vgg
    loss = PerceptualLoss(path)
    prepared = [keras.applications.vgg16.preprocess_input(255 * x) for x in (TRUE, PREDICTED)]
    true, predicted = (reference_features(network, x) / 255 for x in prepared)
    np.testing.assert_allclose(loss.features(TRUE), true, atol=1e-4)
    assert true.min() < 0  # before the ReLU
    assert true.shape == (3, 4, 3, 256)
    expected = np.abs(true - predicted).mean(axis=(1, 2, 3))
    assert float(loss(TRUE, PREDICTED)) == pytest.approx(expected.mean(), rel=1e-4)
    weighted = float(loss(TRUE, PREDICTED, sample_weight=WEIGHTS))
    assert weighted == pytest.approx((2 * expected[0] + expected[1]) / 3, rel=1e-4)


def test_without_preprocessing_the_network_sees_values_from_0_to_1(vgg):
    network, path = vgg
    loss = PerceptualLoss(path, preprocessing="none")
    np.testing.assert_allclose(loss.features(TRUE), reference_features(network, TRUE), atol=1e-4)


def test_lab_becomes_srgb_in_the_graph(vgg):
    lab = np.concatenate([RANDOM.uniform(0, 100, (2, 9, 8, 1)), RANDOM.uniform(-60, 60, (2, 9, 8, 2))], axis=-1)
    rgb = lab_to_srgb(lab.astype(np.float32), np.float32)
    scaled = np.concatenate([lab[..., :1] / 50 - 1, lab[..., 1:] / 128], axis=-1).astype(np.float32)
    from_lab = PerceptualLoss(vgg[1], space="lab").features(scaled)
    np.testing.assert_allclose(from_lab, PerceptualLoss(vgg[1]).features(rgb), atol=2e-3)


def test_the_gradient_reaches_the_picture_and_nothing_is_trained(vgg):
    import tensorflow as tf

    loss = PerceptualLoss(vgg[1])
    predicted = tf.Variable(PREDICTED)
    with tf.GradientTape() as tape:
        value = loss(TRUE, predicted)
    gradient = np.array(tape.gradient(value, predicted))
    assert np.isfinite(gradient).all()
    assert (np.abs(gradient).sum(axis=(1, 2, 3)) > 0).all()
    # A step against the gradient, small enough for a straight line, lowers the loss by its square.
    step = 1e-4
    lower = float(loss(TRUE, PREDICTED - step * gradient / np.linalg.norm(gradient)))
    assert float(value) - lower == pytest.approx(step * np.linalg.norm(gradient), rel=0.1)


def test_equal_pictures_differ_by_nothing(vgg):
    assert float(PerceptualLoss(vgg[1])(TRUE, TRUE)) == 0


def test_reconstruction_adds_it_five_times(vgg):
    perceptual = PerceptualLoss(vgg[1])
    both = default_losses(["ab", "rgb"], perceptual=perceptual)["rgb"]
    expected = float(ReconstructionLoss()(TRUE, PREDICTED)) + 5 * float(perceptual(TRUE, PREDICTED))
    assert float(both(TRUE, PREDICTED)) == pytest.approx(expected, rel=1e-5)
    weighted = float(ReconstructionLoss()(TRUE, PREDICTED, sample_weight=WEIGHTS)) + 5 * float(
        perceptual(TRUE, PREDICTED, sample_weight=WEIGHTS)
    )
    assert float(both(TRUE, PREDICTED, sample_weight=WEIGHTS)) == pytest.approx(weighted, rel=1e-5)


def test_a_model_trains_with_it_and_its_file_needs_no_weights_of_vgg(vgg, tmp_path):
    model = models.create("smcgan", filters=(4, 4), blocks=1, mask=False)
    losses = default_losses(model.output_names, perceptual=PerceptualLoss(vgg[1]))
    model.compile("adam", losses, jit_compile=False)
    lightness, rgb = RANDOM.uniform(-1, 1, (2, 16, 16, 1)), RANDOM.uniform(0, 1, (2, 16, 16, 3))
    targets = {"ab": np.zeros((2, 16, 16, 2)), "rgb": rgb}
    before = model.evaluate({"lightness": lightness}, targets, verbose=0)
    for _ in range(30):
        model.train_on_batch({"lightness": lightness}, targets)
    assert model.evaluate({"lightness": lightness}, targets, verbose=0) < before
    save_model(model, tmp_path / "model.keras")
    load_model(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert isinstance(again.loss["rgb"].perceptual, PerceptualLoss)
    assert str(vgg[1]) not in str(again.get_compile_config())
    with pytest.raises(DensecolorError, match=r"does not hold the weights of VGG-16\. Compile it again"):
        again.evaluate({"lightness": lightness}, targets, verbose=0)


def test_without_weights_there_is_no_loss(vgg, tmp_path):
    with pytest.raises(DensecolorError, match=r"needs trained weights of VGG-16.*Give weights=\"imagenet\""):
        PerceptualLoss(None)
    with pytest.raises(DensecolorError, match=r"missing\.weights\.h5' could not be loaded into VGG-16"):
        PerceptualLoss(tmp_path / "missing.weights.h5")
    other = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(3, 3)])
    other.save_weights(tmp_path / "other.weights.h5")
    with pytest.raises(DensecolorError, match="could not be loaded into VGG-16"):
        PerceptualLoss(tmp_path / "other.weights.h5")
    with pytest.raises(DensecolorError, match=r"Unknown space='yuv'\. Choose from rgb, lab"):
        PerceptualLoss(vgg[1], space="yuv")
    with pytest.raises(DensecolorError, match="Unknown preprocessing='torch'"):
        PerceptualLoss(vgg[1], preprocessing="torch")
