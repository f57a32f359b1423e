import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.errors import DensecolorError
from densecolor.models.class_branch import network_input
from densecolor.models.teacher import FollowTeacher

TINY = {"num_classes": 5, "global_size": 32, "width": 0.05}


def convolution(before, after, size=3):
    return (size**2 * before + 1) * after


TRUNK = [(3, 64), (64, 64), (64, 128), (128, 128), (128, 256), *[(256, 256)] * 2, (256, 512), *[(512, 512)] * 2]
FLAT = 7 * 7 * 512
PARTS = {
    "block": sum(convolution(*pair) for pair in TRUNK),
    "global": 4 * (convolution(512, 512) + 2 * 512)
    + sum(convolution(*pair, size=1) for pair in ((FLAT, 1024), (1024, 512), (512, 256))),
    "mid": convolution(512, 512) + 2 * 512 + convolution(512, 256) + 2 * 256,
    "fusion": convolution(512, 256, size=1),
    "decoder": sum(convolution(*pair) for pair in ((256, 128), (128, 64), (64, 64), (64, 32))),
    "output": convolution(32, 2),
    "class": sum(convolution(*pair, size=1) for pair in ((FLAT, 4096), (4096, 4096))),
    "classes": convolution(4096, 1000, size=1),
}


def test_parameters_of_the_published_network():
    assert PARTS["block"] == 7_635_264
    assert PARTS["class"] + PARTS["classes"] == 123_642_856
    assert sum(PARTS.values()) == 171_166_090


@pytest.mark.slow
def test_parameters_of_the_built_network():
    counts = dict.fromkeys(PARTS, 0)
    for layer in models.create("chromagan").layers:
        if layer.weights:
            counts[layer.name.split("_")[0].rstrip("0123456789")] += trainable_parameters(layer)
    assert counts == PARTS


def test_parameters_without_classes():
    model = models.create("chromagan", num_classes=0)
    assert trainable_parameters(model) == 47_523_234
    assert model.output_names == ["ab"]


def test_colorizer_contract(tmp_path):
    check_colorizer("chromagan", TINY, tmp_path)


def test_a_picture_of_the_global_size_is_seen_alike_by_both():
    model = models.create("chromagan", **TINY)
    first = model.get_layer("block4_conv3")
    both = keras.Model(model.inputs, [node.outputs[0] for node in first._inbound_nodes])
    whole, local = both({"lightness": pictures(2, 32, 32)})
    np.testing.assert_allclose(whole, local, atol=1e-5)


def test_what_vgg_is_shown(tmp_path):
    lightness = pictures(1, 32, 32)
    for preprocessing, expected in (
        ("vgg", network_input(lightness, "vgg16", 32)),
        ("lightness", np.repeat((lightness + 1) / 2, 3, axis=-1)),
    ):
        model = models.create("chromagan", **TINY, preprocessing=preprocessing)
        first = model.get_layer("block1_conv1")
        seen = keras.Model(model.inputs, first._inbound_nodes[-1].input_tensors[0])
        np.testing.assert_allclose(seen({"lightness": lightness}), expected, atol=2e-3)


def test_the_sigmoid_stands_for_bytes_around_128():
    model = models.create("chromagan", **TINY)
    kernel, _ = model.get_layer("output_conv").get_weights()
    model.get_layer("output_conv").set_weights([np.zeros_like(kernel), np.array([50, -50])])
    np.testing.assert_allclose(128 * np.array(model(pictures(1, 16, 16))["ab"])[0, 3, 5], (127, -128), atol=1e-3)


def test_the_trunk_begins_with_vgg(tmp_path):
    keras.utils.set_random_seed(3)
    trained = keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3))
    trained.save_weights(tmp_path / "vgg.weights.h5")
    options = {"num_classes": 0, "global_size": 32}
    model = models.create("chromagan", **options, branch_weights=str(tmp_path / "vgg.weights.h5"))
    lightness = pictures(1, 32, 32)
    cut = keras.Model(trained.input, trained.get_layer("block4_conv3").output)
    both = keras.Model(model.inputs, [node.outputs[0] for node in model.get_layer("block4_conv3")._inbound_nodes])
    expected = np.array(cut(network_input(lightness, "vgg16", 32)))
    for features in both({"lightness": lightness}):
        np.testing.assert_allclose(features, expected, atol=2e-3 * expected.std())
    assert model.get_config()["branch_weights"] is None
    with pytest.raises(DensecolorError, match="VGG-16's weights are for width=1"):
        models.create("chromagan", **TINY, branch_weights=str(tmp_path / "vgg.weights.h5"))


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "teacher.weights.h5"
    keras.utils.set_random_seed(5)
    network = keras.applications.MobileNetV3Small(weights=None, classifier_activation="softmax")
    network.save_weights(path)
    return path, network


def test_the_classes_follow_a_teacher(teacher):
    path, network = teacher
    layer = FollowTeacher("mobilenet_v3_small", str(path), 0.5)
    lightness = pictures(2, 40, 24)
    probabilities = np.random.default_rng(0).dirichlet(np.ones(1000), 2).astype(np.float32)
    np.testing.assert_array_equal(layer([probabilities, lightness], training=True), probabilities)
    taught = np.array(network(network_input(lightness, "mobilenet_v3_small", 224), training=False))
    divergence = (taught * np.log(taught / np.maximum(probabilities, 1e-7))).sum(axis=-1).mean()
    assert float(layer.losses[0]) == pytest.approx(0.5 * divergence, rel=1e-3)
    assert layer.weights == []
    layer([probabilities, lightness])
    assert layer.losses == []


def test_a_model_with_a_teacher_is_saved_without_it(teacher):
    options = TINY | {"num_classes": 1000, "teacher": "mobilenet_v3_small"}
    model = models.create("chromagan", **options, teacher_weights=str(teacher[0]))
    assert model.output_weights == {"label": 0.0}
    model({"lightness": pictures(1, 32, 32)}, training=True)
    assert len(model.losses) == 1
    again = type(model).from_config(model.get_config())
    assert [tuple(weight.shape) for weight in again.weights] == [tuple(weight.shape) for weight in model.weights]
    assert again.output_weights == {}
    with pytest.raises(DensecolorError, match="A teacher knows 1000 classes, and the model has 5"):
        models.create("chromagan", **options | {"num_classes": 5}, teacher_weights=str(teacher[0]))
