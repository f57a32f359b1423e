import keras
import numpy as np
import pytest
import tensorflow as tf
from colorizer_checks import check_colorizer
from colorizer_checks import pictures

from densecolor import models
from densecolor.color import normalize_ab
from densecolor.color import normalize_lightness
from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError
from densecolor.losses import default_losses

SMALL = {
    "num_classes": 3,
    "layers_per_block": 1,
    "growth_rate": 2,
    "branch": "vgg16",
    "branch_size": 32,
    "branch_pooling": True,
    "fc_widths": (6, 4),
}
BRANCH_PARTS = ("vgg16", "mobilenet", "fc", "label")


def count(variables):
    return sum(int(np.prod(variable.shape)) for variable in variables)


def parts(model):
    """The trainable variables of the colour stream and of the class stream."""
    color, classes = [], []
    for layer in model.layers:
        (classes if layer.name.startswith(BRANCH_PARTS) else color).extend(layer.trainable_variables)
    return color, classes


def color_stream_parameters(layers, growth=12, vector=64):
    """Counted by hand: convolutions have no bias but the last, a normalisation has two values a channel."""
    channels = 2 * growth
    total = 9 * channels
    for block in (1, 2, 3, 4):
        for _ in range(layers):
            total += 2 * channels + channels * 4 * growth + 2 * 4 * growth + 9 * 4 * growth * growth
            channels += growth
        if block < 4:
            narrow = vector if block == 3 else channels // 2
            total += 2 * channels + channels * narrow
            channels = 2 * vector if block == 3 else narrow
    return total + 2 * channels + 9 * channels * 2 + 2


@pytest.mark.parametrize(("layers", "expected"), [(6, 265_890), (8, 388_262), (12, 685_422), (16, 1_052_470)])
def test_parameters_of_the_color_stream(layers, expected):
    assert color_stream_parameters(layers) == expected
    if layers <= 8:
        model = models.DenseColorizer(**(SMALL | {"layers_per_block": layers, "growth_rate": 12, "fc_widths": (64,)}))
        assert count(parts(model)[0]) == expected


def test_parameters_of_the_paper_network():
    model = models.create("dense", num_classes=205)
    color, classes = parts(model)
    assert count(color) == 685_422
    vgg = 9 * (3 * 64 + 64 * 64 + 64 * 128 + 128**2 + 128 * 256 + 2 * 256**2 + 256 * 512 + 5 * 512**2)
    vgg += 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512
    connected = (7 * 7 * 512 + 1) * 4096 + (4096 + 1) * 1024 + (1024 + 1) * 64 + (64 + 1) * 205
    assert count(classes) == vgg + connected
    assert count(classes) - 2 * 9 * 64 == 121_752_333  # with a first convolution of one channel
    assert model.get_layer("fusion").output.shape[-1] == 128
    assert model.get_layer("output_conv").input.shape[-1] == 272


@pytest.mark.parametrize("options", [{}, {"num_classes": 0, "stem_strides": 4, "joint": True, "branch_pooling": False}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("dense", SMALL | options, tmp_path)


def test_label_holds_probabilities_of_the_classes():
    label = keras.ops.convert_to_numpy(models.DenseColorizer(**SMALL)(pictures(2, 20, 30))["label"])
    assert label.shape == (2, 3)
    np.testing.assert_allclose(label.sum(axis=1), 1, rtol=1e-5)


def test_tanh_bounds_ab():
    model = models.DenseColorizer(**(SMALL | {"output_activation": "tanh"}))
    model.get_layer("output_conv").bias.assign([100, -100])
    np.testing.assert_allclose(model(pictures(1, 4, 4))["ab"][0, 0, 0], [1, -1], atol=1e-6)


def gradients_of(model, output):
    with tf.GradientTape() as tape:
        outputs = model(pictures(2, 16, 16), training=True)
        loss = tf.reduce_mean(tf.square(outputs[output] - 0.3))
    color, classes = parts(model)
    found = tape.gradient(loss, color + classes)
    return found[: len(color)], found[len(color) :]


def test_colour_loss_and_class_loss_do_not_interact():
    model = models.DenseColorizer(**SMALL)
    assert sum(map(len, parts(model))) == len(model.trainable_variables)
    color, classes = gradients_of(model, "ab")
    assert all(gradient is None for gradient in classes)
    assert all(gradient is not None for gradient in color)
    color, classes = gradients_of(model, "label")
    assert all(gradient is None for gradient in color)
    assert all(gradient is not None for gradient in classes)


def test_joint_lets_the_colour_loss_through():
    keras.utils.set_random_seed(0)  # some weights leave all of the last few ReLUs at 0
    model = models.DenseColorizer(**(SMALL | {"joint": True}))
    color, classes = gradients_of(model, "ab")
    *branch, head_kernel, head_bias = classes
    assert head_kernel is None
    assert head_bias is None
    assert all(gradient is not None for gradient in color + branch)
    assert sum(float(tf.reduce_sum(tf.abs(gradient))) for gradient in branch) > 0
    assert all(gradient is None for gradient in gradients_of(model, "label")[0])


def test_synchronized_normalisation_reaches_every_layer():
    for wanted in (False, True):
        model = models.DenseColorizer(**(SMALL | {"branch": "mobilenet", "sync_batchnorm": wanted}))
        layers = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
        assert len(layers) > 20
        assert {layer.synchronized for layer in layers} == {wanted}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branch": "vgg11"}, "Unknown branch='vgg11'. Choose from .*mobilenet_v3_small.*vgg16"),
        ({"output_activation": "relu"}, "Unknown output_activation='relu'. Choose from linear, tanh"),
    ],
)
def test_unknown_choices_are_listed(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.DenseColorizer(**(SMALL | options))


def test_a_short_training_on_photographs_lowers_the_loss(crops):
    keras.utils.set_random_seed(0)
    model = models.create("dense_tiny", num_classes=3)
    lab = srgb_to_lab(crops)
    inputs = {"lightness": normalize_lightness(lab[..., :1])}
    targets = {"ab": normalize_ab(lab[..., 1:]), "label": np.arange(30) % 3}
    weights = {"ab": np.ones((30, 1, 1)), "label": np.ones(30)}
    targets["label"][:4], weights["label"][:4] = -1, 0
    model.compile(keras.optimizers.Adam(3e-3), default_losses(model.output_names), jit_compile=False)
    history = model.fit(inputs, targets, sample_weight=weights, epochs=10, batch_size=10, verbose=0).history
    assert history["ab_loss"][-1] < 0.7 * history["ab_loss"][0]
    assert history["label_loss"][-1] < history["label_loss"][0]
