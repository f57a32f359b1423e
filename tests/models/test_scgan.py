import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError
from densecolor.models.gray_vgg import create_global_features
from densecolor.models.spectral import ReflectedSpectralConv2D

TINY = {"filters": (4, 4, 5, 5, 6, 6, 7), "global_widths": (3, 4, 4, 5, 5), "saliency_width": 3}


def convolution(before, after, kernel_size=3, normalized=True):
    """Without bias; with the scale and shift of the BatchNormalization after it."""
    return kernel_size**2 * before * after + 2 * after * normalized


GLOBAL = [(64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256)]
GLOBAL += [(256, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512), (512, 512)]
ENCODER = [(64, 128), (128, 256), (256, 512), (512, 512), (512, 512), (512 + 512, 512), (512, 512)]
# Each reads what the one before made, and the skip connection of its size.
DECODER = [(512, 512), *[(512 + 512, 512)] * 4, (512 + 512, 256), (256 + 256, 128), (128 + 128, 64)]
SALIENCY = [(512, 128), (128, 128), (256, 128), (128, 128), (3 * 128, 128)]
PARTS = {
    "global": (17_077_952, convolution(1, 64, normalized=False) + sum(convolution(*pair) for pair in GLOBAL)),
    "encoder": (
        15_713_088,
        convolution(1, 64, 7, normalized=False)
        + sum(convolution(*pair) for pair in ENCODER)
        + convolution(512, 512, normalized=False),
    ),
    "decoder": (24_339_712, sum(convolution(*pair) for pair in DECODER) + convolution(64 + 64, 3, normalized=False)),
    "saliency": (1_624_448, sum(convolution(*pair) for pair in SALIENCY) + convolution(128, 1, normalized=False)),
}


def test_parameters_of_the_published_network():
    assert all(listed == counted for listed, counted in PARTS.values())
    assert sum(counted for _, counted in PARTS.values()) == 58_755_200
    model = models.create("scgan")
    assert trainable_parameters(model) == 58_755_200
    counts = dict.fromkeys(PARTS, 0)
    for layer in model.layers:
        prefix = layer.name.split("_")[0].rstrip("0123456789")
        if layer.weights:
            counts["decoder" if prefix == "output" else prefix] += trainable_parameters(layer)
    assert counts == {name: counted for name, (_, counted) in PARTS.items()}
    # Beside these: two moving statistics of each normalised channel, and a vector for the norm of each kernel.
    moving = sum(2 * layer.gamma.shape[0] for layer in layers_of(model, keras.layers.BatchNormalization))
    vectors = sum(layer.filters for layer in layers_of(model, ReflectedSpectralConv2D))
    assert model.count_params() == 58_755_200 + moving + vectors


def layers_of(model, kind):
    return [layer for layer in model._flatten_layers() if isinstance(layer, kind)]


def test_sizes_inside_are_those_of_the_paper():
    model = models.create("scgan", **(TINY | {"filters": (3,) * 9}))
    names = ("encoder8_leaky", "decoder3_leaky", "saliency_join", "fusion")
    inside = [model.get_layer(name).output for name in names]
    shapes = keras.Model(model.inputs, inside)({"lightness": pictures(1, 256, 256)})
    assert [tuple(value.shape[1:3]) for value in shapes] == [(1, 1), (32, 32), (128, 128), (8, 8)]


def test_the_mask_is_left_out_on_request_and_the_features_too():
    model = models.create("scgan", saliency=False)
    assert model.output_names == ["ab", "rgb"]
    assert trainable_parameters(model) == 57_130_752
    without = models.create("scgan", **TINY, global_features=False)
    assert "global_features" not in [layer.name for layer in without.layers]
    assert without(pictures(1, 97, 131))["ab"].shape == (1, 97, 131, 2)


def test_colorizer_contract(tmp_path):
    check_colorizer("scgan", TINY, tmp_path)


def test_ab_is_that_of_the_predicted_colours_and_the_mask_lies_over_them():
    outputs = {name: np.array(value) for name, value in models.create("scgan", **TINY)(pictures(2, 40, 24)).items()}
    rgb = np.clip(outputs["rgb"], 0, 1)
    np.testing.assert_allclose(outputs["ab"] * 128, srgb_to_lab(rgb)[..., 1:], atol=0.1)
    np.testing.assert_allclose(outputs["masked_rgb"], outputs["rgb"] * outputs["mask"], atol=1e-6)
    assert 0 < outputs["mask"].min() <= outputs["mask"].max() < 1


def test_the_network_sees_gray_values_not_lightness():
    """L = 50 is the sRGB gray 119 of 255."""
    model = models.create("scgan", **TINY)
    inside = keras.Model(model.inputs, model.get_layer("pad").output)
    gray = inside({"lightness": np.zeros((1, 64, 64, 1), np.float32)})
    np.testing.assert_allclose(255 * np.array(gray), lab_to_srgb(np.float32([50, 0, 0]))[0], atol=0.5)


def test_prepared_global_features_are_loaded_and_trained_on(tmp_path):
    classifier = models.create_gray_classifier(3, TINY["global_widths"])
    assert classifier({"lightness": pictures(2, 64, 96)})["label"].shape == (2, 3)
    prepared = classifier.get_layer("global_features")
    for variable in prepared.weights:
        variable.assign(np.random.default_rng(1).uniform(0.1, 1, variable.shape))
    prepared.save_weights(tmp_path / "gray.weights.h5")
    model = models.create("scgan", **TINY, branch_weights=str(tmp_path / "gray.weights.h5"))
    loaded = model.get_layer("global_features")
    for variable, other in zip(loaded.weights, prepared.weights, strict=True):
        np.testing.assert_array_equal(variable, other)
    assert len(loaded.trainable_variables) == 14 + 2 * 13
    assert model.get_config()["branch_weights"] is None
    with pytest.raises(DensecolorError, match="could not be loaded into the global features"):
        create_global_features((3, 4, 4, 5, 9), str(tmp_path / "gray.weights.h5"))
    with pytest.raises(DensecolorError, match="could not be loaded into the global features"):
        models.create("scgan", **TINY, branch_weights=str(tmp_path / "missing.weights.h5"))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": (4,) * 6}, "`filters` must be at least 7 numbers"),
        ({"global_widths": (4,) * 4}, "`global_widths` must be 5 numbers"),
    ],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.create("scgan", **(TINY | options))
