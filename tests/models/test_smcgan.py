import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import train_briefly
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError

TINY = {"filters": (4, 6, 8), "blocks": 1}


def convolution(before, after, kernel_size=3):
    """Without bias, and the scale and shift of the BatchNormalization after it."""
    return kernel_size**2 * before * after + 2 * after


ENCODER = [(64, 128), (128, 256), (256, 512), (512, 512)]
# Each reads what the one before made, and the skip connection of its size.
COLOR = [(512, 512), (512 + 512, 256), (256 + 256, 128), (128 + 128, 64)]
MASK = [(512, 256), (256 + 512, 128), (128 + 256, 64), (64 + 128, 32)]
PARTS = {
    "encoder": (3_913_664, convolution(1, 64, 7) + sum(convolution(*pair) for pair in ENCODER)),
    "block": (18_882_560, 4 * 2 * convolution(512, 512)),
    "color": (5_461_251, sum(convolution(*pair) for pair in COLOR) + (9 * (64 + 64) + 1) * 3),
    "mask": (2_343_554, sum(convolution(*pair) for pair in MASK) + (9 * (32 + 64) + 1) * 2),
}


def test_parameters_of_the_reconstructed_table():
    assert all(listed == counted for listed, counted in PARTS.values())
    assert sum(counted for _, counted in PARTS.values()) == 30_601_029
    model = models.create("smcgan")
    assert trainable_parameters(model) == 30_601_029
    counts = dict.fromkeys(PARTS, 0)
    for layer in model.layers:
        prefix = layer.name.split("_")[0].rstrip("0123456789")
        if layer.weights:
            counts["color" if prefix == "output" else prefix] += trainable_parameters(layer)
    assert counts == {name: counted for name, (_, counted) in PARTS.items()}
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    moving = sum(2 * layer.gamma.shape[0] for layer in norms)
    # Beside these, two numbers of random state are counted by Keras.
    assert model.count_params() - 30_601_029 - moving in (0, 2)


def test_sizes_inside():
    model = models.create("smcgan", **(TINY | {"filters": (3,) * 5}))
    inside = [model.get_layer(name).output for name in ("block1_leaky", "color3_join", "mask_decoder0_join")]
    shapes = keras.Model(model.inputs, inside)({"lightness": pictures(1, 256, 192)})
    assert [tuple(value.shape[1:3]) for value in shapes] == [(16, 12), (32, 24), (256, 192)]


@pytest.mark.parametrize("options", [{}, {"guide": "concrete"}, {"mask": False}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("smcgan", TINY | options, tmp_path)


def test_ablations():
    assert models.create("smcgan", **TINY, mask=False).output_names == ["ab", "rgb"]
    assert models.create("smcgan", **TINY).output_weights == {"rgb": 1, "masked_rgb": 0.5, "mask": 1}
    without = models.create("smcgan", **TINY, color=False)
    assert without.output_weights == {"rgb": 0, "masked_rgb": 0, "mask": 1}
    assert trainable_parameters(without) == trainable_parameters(models.create("smcgan", **TINY))


def test_ab_is_that_of_the_predicted_colours():
    outputs = {name: np.array(value) for name, value in models.create("smcgan", **TINY)(pictures(2, 40, 24)).items()}
    assert 0 <= outputs["rgb"].min() <= outputs["rgb"].max() <= 1
    np.testing.assert_allclose(outputs["ab"] * 128, srgb_to_lab(outputs["rgb"])[..., 1:], atol=0.1)


def test_the_mask_is_sampled_in_training_and_decided_otherwise():
    model = models.create("smcgan", **TINY)
    for variable in model.get_layer("mask_conv").weights:
        variable.assign(np.random.default_rng(0).normal(size=variable.shape))
    outputs = {name: np.array(value) for name, value in model(pictures(2, 40, 24)).items()}
    decided = outputs["mask"] > 0.5
    assert 0 < decided.mean() < 1
    np.testing.assert_array_equal(outputs["masked_rgb"], outputs["rgb"] * decided)
    first, second = (model(pictures(2, 40, 24), training=True) for _ in range(2))
    assert not np.allclose(first["masked_rgb"], second["masked_rgb"], atol=1e-3)
    np.testing.assert_allclose(first["mask"], second["mask"], atol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"blocks": 0}, "`blocks` must be positive"),
        ({"filters": (4,)}, "`filters` must be at least 2 numbers"),
        ({"guide": "free"}, "Unknown guide='free'. Choose from supervised, concrete"),
        ({"guide": "concrete", "mask_share": 1}, "`mask_share` must be above 0 and below 1"),
        ({"guide": "concrete", "share_weight": -1}, "must not be negative"),
        ({"temperature": 0}, "`temperature` must be positive"),
    ],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.create("smcgan", **(TINY | options))


@pytest.mark.slow
def test_a_short_training_on_photographs_lowers_the_loss(unlabelled):
    train_briefly("smcgan", unlabelled, {"filters": (16, 32, 32), "blocks": 1}, epochs=60)
