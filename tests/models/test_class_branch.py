import keras
import numpy as np
import pytest
import skimage.color

from densecolor import models
from densecolor.errors import DensecolorError
from densecolor.models.class_branch import BRANCHES
from densecolor.models.class_branch import create_backbone

SMALL = {"num_classes": 0, "layers_per_block": 1, "growth_rate": 2, "branch_pooling": True, "fc_widths": (4,)}


@pytest.mark.parametrize(("branch", "size"), [("vgg16", 32), ("mobilenet_v3_small", 32), ("inception_v3", 75)])
def test_a_branch_sees_the_gray_picture_through_its_own_preprocessing(branch, size):
    model = models.DenseColorizer(branch=branch, branch_size=size, **SMALL)
    features = keras.Model(model.input, model.get_layer("class_features").output)
    lightness = 30.0
    received = features({"lightness": np.full((1, 50, 40, 1), lightness / 50 - 1, np.float32)})

    rgb = skimage.color.lab2rgb(np.float64([[[lightness, 0, 0]]]))
    pixels = np.broadcast_to(255 * rgb, (1, size, size, 3)).astype(np.float32)
    backbone = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    expected = backbone(BRANCHES[branch].module.preprocess_input(pixels.copy()))
    expected = keras.ops.mean(expected, axis=(1, 2))
    np.testing.assert_allclose(received, expected, rtol=1e-2, atol=1e-3 * np.abs(expected).max())


def test_branch_names_are_those_of_keras():
    for name, branch in BRANCHES.items():
        assert branch.network.__name__.lower() == name.replace("_", "")
        assert callable(branch.module.preprocess_input)


def test_branch_weights_come_from_a_file(tmp_path):
    keras.utils.set_random_seed(1)
    backbone = create_backbone("mobilenet", 32)
    backbone.save_weights(tmp_path / "branch.weights.h5")
    model = models.DenseColorizer(
        branch="mobilenet", branch_size=64, branch_weights=str(tmp_path / "branch.weights.h5"), **SMALL
    )
    loaded = next(layer for layer in model.layers if isinstance(layer, keras.Model))
    for ours, theirs in zip(loaded.weights, backbone.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert model.get_config()["branch_weights"] is None


@pytest.mark.filterwarnings("ignore:Skipping nested container")
def test_branch_weights_that_do_not_load_name_the_file(tmp_path):
    backbone = create_backbone("mobilenet", 32)
    backbone.save_weights(tmp_path / "other.weights.h5")
    (tmp_path / "text.weights.h5").write_text("no weights")
    for name in ("other.weights.h5", "text.weights.h5", "missing.weights.h5", "unknown.suffix"):
        with pytest.raises(DensecolorError, match=f"{name}' could not be loaded into 'vgg16'"):
            create_backbone("vgg16", 32, weights=tmp_path / name)


def feature_channels(branch):
    return create_backbone(branch, max(75, BRANCHES[branch].size // 4)).output_shape[-1]


@pytest.mark.parametrize("branch", ["mobilenet", "mobilenet_v3_small", "vgg16"])
def test_features_are_those_of_the_network(branch):
    assert BRANCHES[branch].features == feature_channels(branch)


@pytest.mark.slow
@pytest.mark.parametrize("branch", BRANCHES)
def test_features_are_those_of_every_network(branch):
    assert BRANCHES[branch].features == feature_channels(branch)
