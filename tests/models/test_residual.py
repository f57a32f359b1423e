import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import train_briefly
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.errors import DensecolorError

TINY = {"num_classes": 3, "blocks": 1, "filters": 2}


def block(before, after):
    """Two 3x3 convolutions without bias, two normalisations, and a 1x1 shortcut with one where channels change."""
    shortcut = before * after + 2 * after if before != after else 0
    return 9 * before * after + 9 * after * after + 4 * after + shortcut


def counted_by_hand(n, classes=205):
    stem = 49 * 64 + 2 * 64
    stages = (
        n * block(64, 64) + block(64, 128) + (n - 1) * block(128, 128) + block(128, 256) + (n - 1) * block(256, 256)
    )
    branch = block(256, 512) + 3 * block(512, 512) + (512 + 1) * 256 + (256 + 1) * classes
    assert branch == 18_019_021
    fusion = (256 + 256) * 256 + 2 * 256
    decoder = block(256, 256) + block(256 + 128, 128) + block(128 + 64, 64) + (9 * 64 + 1) * 2
    return stem + stages + branch + fusion + decoder


@pytest.mark.parametrize(("n", "expected"), [(2, 22_908_815), (3, 24_458_895), (5, 27_559_055)])
def test_parameters_of_the_reconstruction(n, expected):
    assert counted_by_hand(n) == expected
    if n < 5:
        assert trainable_parameters(models.create("residual", blocks=n)) == expected


def test_sizes_inside():
    model = models.create("residual", **TINY)
    names = ("stem", "half1", "quarter1", "class_eighth2", "class_sixteenth2", "fusion")
    inside = [model.get_layer(f"{name}_norm").output for name in names]
    shapes = keras.Model(model.inputs, [*inside, model.get_layer("output_conv").output])(
        {"lightness": pictures(1, 64, 64)}
    )
    assert [shape.shape[1] for shape in shapes] == [64, 32, 16, 8, 4, 16, 64]


def test_colorizer_contract(tmp_path):
    check_colorizer("residual", TINY, tmp_path)


def test_options_work_without_classes():
    model = models.create("residual", num_classes=0, blocks=2, filters=2, upsampling="nearest")
    assert model.output_names == ["ab"]
    assert model(pictures(1, 97, 131))["ab"].shape == (1, 97, 131, 2)


def test_a_block_adds_its_input():
    """With kernels of zeros a block is its shortcut: what comes in, at every second pixel where it has strides."""
    model = models.create("residual", **TINY)
    for layer in model.layers:
        if layer.name.startswith("class_") and layer.name.endswith(("a_conv", "b_conv")):
            layer.kernel.assign(keras.ops.zeros_like(layer.kernel))
    outputs = [model.get_layer(name).output for name in ("class_eighth2_norm", "class_sixteenth1_subsample")]
    inputs = model.get_layer("class_sixteenth1_subsample").input
    normed, shortcut, before = keras.Model(model.inputs, [*outputs, inputs])({"lightness": pictures(1, 64, 64)})
    np.testing.assert_array_equal(normed, 0)
    np.testing.assert_array_equal(shortcut, before[:, ::2, ::2])


def test_strides_keep_convolution_and_shortcut_together():
    """A single bright pixel at even coordinates stays where it is in both ways of the block that halves the size."""
    model = models.create("residual", num_classes=0, blocks=1, filters=2)
    convolution, shortcut = model.get_layer("half1_a_conv"), model.get_layer("half1_shortcut_conv")
    kernel = np.zeros(convolution.kernel.shape, np.float32)
    kernel[1, 1] = 1
    convolution.kernel.assign(kernel)
    shortcut.kernel.assign(np.ones(shortcut.kernel.shape))
    x = np.zeros((1, 8, 8, 2), np.float32)
    x[0, 4, 2] = 1
    padded, subsampled = model.get_layer("half1_a_pad")(x), model.get_layer("half1_subsample")(x)
    np.testing.assert_array_equal(convolution(padded), np.broadcast_to(shortcut(subsampled)[..., :1], (1, 4, 4, 4)))


def test_tanh_bounds_ab():
    model = models.create("residual", **TINY)
    model.get_layer("output_conv").bias.assign([100, -100])
    np.testing.assert_allclose(model(pictures(1, 4, 4))["ab"][0, 0, 0], [110 / 128, -110 / 128], atol=1e-6)


def test_synchronized_normalisation_reaches_every_layer():
    for wanted in (False, True):
        model = models.create("residual", **TINY, sync_batchnorm=wanted)
        layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert len(layers) == 27
        assert {layer.synchronized for layer in layers} == {wanted}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"blocks": 0}, "`blocks` must be positive"), ({"upsampling": "cubic"}, "Unknown upsampling='cubic'")],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.ResidualColorizer(**options)


def test_a_short_training_on_photographs_lowers_the_loss(packed):
    train_briefly("residual_small", packed, {"blocks": 1, "filters": 8, "num_classes": 3})
