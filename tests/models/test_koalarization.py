import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import train_briefly
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.errors import DensecolorError

TINY = {"branch": "mobilenet", "branch_size": 32, "embedding": "pooled", "width": 0.05}

ENCODER = [(1, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512), (512, 512), (512, 256)]
DECODER = [(256, 128), (128, 64), (64, 64), (64, 32), (32, 2)]


def counted_by_hand(length):
    """Of the published table: 3x3 convolutions with bias, and the 1x1 of the fusion."""
    convolutions = sum((9 * before + 1) * after for before, after in ENCODER + DECODER)
    return convolutions + (256 + length + 1) * 256


@pytest.mark.parametrize(
    ("options", "length", "expected"),
    [
        ({"logit_count": 1001}, 1001, 6_574_050),
        ({}, 1000, 6_573_794),
        ({"embedding": "pooled"}, 1536, 6_711_010),
    ],
)
def test_parameters_of_the_published_table(options, length, expected):
    assert counted_by_hand(length) == expected
    model = models.create("koalarization", embedding_input=True, **options)
    assert trainable_parameters(model) == model.count_params() == expected
    kernels = [layer.kernel.shape for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    fusion = (1, 1, 256 + length, 256)
    assert kernels == [(3, 3, *pair) for pair in ENCODER] + [fusion] + [(3, 3, *pair) for pair in DECODER]


def test_sizes_inside_are_those_of_the_paper():
    model = models.create("koalarization", **TINY)
    inside = [model.get_layer(name).output for name in ("encoder1_relu", "fusion_relu", "output_conv")]
    shapes = keras.Model(model.inputs, inside)({"lightness": pictures(1, 224, 224)})
    assert [shape.shape[1:3] for shape in shapes] == [(112, 112), (28, 28), (112, 112)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"upsampling": "subpixel", "fusion": "film", "depth": 2, "embedding": "logits", "logit_count": 7},
    ],
)
def test_colorizer_contract(options, tmp_path):
    check_colorizer("koalarization", TINY | options, tmp_path)


@pytest.mark.parametrize(
    "options", [{"upsampling": "bilinear"}, {"upsampling": "transposed"}, {"fusion": "add", "standardize": False}]
)
def test_every_variant_takes_any_size(options):
    model = models.create("koalarization", **TINY, embedding_input=True, **options)
    embedding = np.ones((1, 1024), np.float32)
    assert model({"lightness": pictures(1, 97, 131), "embedding": embedding})["ab"].shape == (1, 97, 131, 2)


def test_the_backbone_is_frozen_and_bounded_colours_scale_as_published():
    model = models.create("koalarization", **TINY)
    backbone = model.get_layer("mobilenet_1.00_32")
    assert not backbone.trainable_variables
    before = [np.array(variable) for variable in backbone.weights]
    model.compile("adam", loss=models.losses.default_losses(["ab"]))
    model.fit({"lightness": pictures(2, 16, 16)}, {"ab": np.zeros((2, 16, 16, 2))}, verbose=0)
    for variable, value in zip(backbone.weights, before, strict=True):
        np.testing.assert_array_equal(variable, value)  # the normalisations' moving statistics too
    model.get_layer("output_conv").bias.assign([100, -100])
    np.testing.assert_allclose(model(pictures(1, 4, 4))["ab"][0, 0, 0], [127 / 128, -127 / 128], atol=1e-6)


def test_an_embedding_is_standardised_without_parameters():
    model = models.create("koalarization", width=0.05, embedding_input=True, logit_count=5)
    embedding = np.float32([[3, -1, 7, 0, 2]])
    standardize = keras.Model(model.inputs, model.get_layer("standardize").output)
    result = standardize({"lightness": pictures(1, 8, 8), "embedding": embedding})
    np.testing.assert_allclose(result, (embedding - embedding.mean()) / np.sqrt(embedding.var() + 1e-3), rtol=1e-5)


@pytest.mark.parametrize("fixture", ["mobilenet_weights", "pooled_mobilenet_weights"])
def test_a_head_trained_on_embeddings_joins_its_backbone(fixture, request, tmp_path):
    options, weights = request.getfixturevalue(fixture)
    embedder = models.create_embedder("mobilenet", 32, weights, options["embedding"], options["logit_count"])
    head = models.create("koalarization", **options, width=0.05, embedding_input=True)
    head.get_layer("output_conv").kernel.assign(100 * head.get_layer("output_conv").kernel)
    lightness = keras.ops.convert_to_tensor(pictures(2, 33, 40))
    embedding = embedder(lightness)
    expected = keras.ops.convert_to_numpy(head({"lightness": lightness, "embedding": embedding})["ab"])
    without = keras.ops.convert_to_numpy(head({"lightness": lightness, "embedding": 0 * embedding})["ab"])
    assert np.abs(expected - without).max() > 1e-2  # the embedding matters

    save_model(head, tmp_path / "head.keras")
    plain = keras.saving.load_model(tmp_path / "head.keras", safe_mode=True)
    np.testing.assert_allclose(plain({"lightness": lightness, "embedding": embedding})["ab"], expected, atol=1e-5)
    whole = models.with_backbone(load_model(tmp_path / "head.keras"), weights)
    np.testing.assert_allclose(whole(lightness)["ab"], expected, atol=1e-5)
    save_model(whole, tmp_path / "whole.keras")
    np.testing.assert_allclose(load_model(tmp_path / "whole.keras")(lightness)["ab"], expected, atol=1e-5)


def test_a_missing_embedding_is_explained():
    model = models.create("koalarization", **TINY, embedding_input=True)
    for call in (model, model.predict_on_batch):
        for inputs in (pictures(1, 8, 8), {"lightness": pictures(1, 8, 8)}):
            with pytest.raises(DensecolorError, match=r"precomputed embeddings.*with_backbone"):
                call(inputs)


def test_only_a_head_without_a_backbone_gets_one():
    with pytest.raises(DensecolorError, match=r"lacks its backbone\. Received: 'unet_colorizer', a UNetColorizer"):
        models.with_backbone(models.create("unet", filters=(2,)))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"branch": "vgg11"}, "Unknown branch='vgg11'"),
        ({"embedding": "softmax"}, "Unknown embedding='softmax'. Choose from logits, pooled"),
        ({"fusion": "gate"}, "Unknown fusion='gate'. Choose from concat, add, film"),
        ({"upsampling": "cubic"}, "Unknown upsampling='cubic'. Choose from nearest, bilinear, transposed, subpixel"),
        ({"width": 0}, "`width` must be positive. Received: width=0"),
        (
            {"branch_weights": "imagenet", "embedding": "logits"},
            "classifier of 'mobilenet' needs branch_size=224 and logit_count=1000. Received: branch_size=32",
        ),
    ],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.KoalarizationColorizer(**(TINY | options))


def test_a_short_training_on_photographs_lowers_the_loss(packed):
    train_briefly("koalarization_small", packed, {"branch": "mobilenet", "branch_size": 32})
