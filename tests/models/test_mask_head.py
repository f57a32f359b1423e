import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters
from conftest import write_packed

from densecolor import models
from densecolor.dataset import load
from densecolor.errors import DensecolorError
from densecolor.losses import default_losses
from densecolor.training import TrainConfig
from densecolor.training import train

UNET = {"colorizer": "unet", "colorizer_options": {"filters": [4, 6]}, "mask_width": 3}
GUIDABLE = {
    "colorful": {"filters": [4] * 8},
    "dense_tiny": {"branch_size": 32},
    "iizuka": {"global_size": 32, "width": 0.05},
    "koalarization": {"branch": "mobilenet", "branch_size": 32, "embedding": "pooled", "width": 0.05},
    "residual": {"blocks": 1, "filters": 4},
    "unet": {"filters": [4, 6]},
}


@pytest.mark.parametrize("options", [{}, {"guide": "concrete"}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("mask_guided", UNET | options, tmp_path)


@pytest.mark.parametrize("name", GUIDABLE)
def test_a_guided_colorizer_gives_the_same_colours(name):
    colorizer = models.create(name, **GUIDABLE[name])
    for variable in colorizer.trainable_variables:
        variable.assign_add(np.random.default_rng(0).normal(0, 0.1, variable.shape))
    guided = models.with_mask_head(colorizer, mask_width=3)
    x = pictures(1, 97, 131)
    expected, outputs = colorizer(x), guided(x)
    for output, value in expected.items():
        np.testing.assert_allclose(outputs[output], value, atol=1e-6)
    assert outputs["mask"].shape == (1, 97, 131, 1)
    np.testing.assert_allclose(outputs["masked_ab"], np.array(outputs["ab"]) * outputs["mask"], atol=1e-6)
    assert guided.working_size == colorizer.working_size
    again = models.MaskGuidedColorizer.from_config(guided.get_config())
    assert [variable.shape for variable in again.weights] == [variable.shape for variable in guided.weights]


def test_the_branch_is_as_large_as_said():
    colorizer = models.create("unet", filters=[4, 6])
    branch = 9 * 4 * 3 + 2 * 3 + 9 * 3 + 1  # 3x3 from 4 to 3, its normalisation, 3x3 to a logit with bias
    guided = models.create("mask_guided", **UNET)
    assert trainable_parameters(guided) - trainable_parameters(colorizer) == branch


def test_the_colour_loss_reaches_the_class_branch_where_nothing_else_does():
    inner = {"colorizer": "dense_tiny", "mask_width": 3}
    assert "label" in models.create("mask_guided", **inner, num_classes=3).output_names
    model = models.create("mask_guided", **inner, num_classes=0)
    assert "label" not in model.output_names
    import tensorflow as tf

    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(pictures(1, 32, 32))["ab"] ** 2)
    assert all(gradient is not None for gradient in tape.gradient(total, model.get_layer("fc1").weights))


def test_precomputed_embeddings_pass_through():
    colorizer = models.create("koalarization", width=0.05, embedding_input=True, logit_count=5)
    guided = models.with_mask_head(colorizer, mask_width=3)
    inputs = {"lightness": pictures(1, 32, 40), "embedding": np.ones((1, 5), np.float32)}
    np.testing.assert_allclose(guided(inputs)["ab"], colorizer(inputs)["ab"], atol=1e-6)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"colorizer": "unett"}, "which 'unett' is not. Choose from colorful, .*unet"),
        ({"colorizer": "hypercolumn"}, "decoder features .* which 'hypercolumn' is not"),
        ({"colorizer": "scgan"}, "no mask of its own, which 'scgan' is not"),
        ({"colorizer": "mask_guided"}, "'mask_guided' is not"),
        ({"colorizer": "unet", "colorizer_options": {"layers": 3}}, "'layers', which is no option of 'unet'"),
        ({"colorizer": "unet", "colorizer_options": {"dtype": "float16"}}, "has 'dtype'.*Choose from filters"),
        ({"colorizer": "unet", "mask_width": 0}, "`mask_width` must be positive"),
    ],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.create("mask_guided", **options)
    if "hypercolumn" in options.values():
        with pytest.raises(DensecolorError, match="'HypercolumnColorizer' is not"):
            models.with_mask_head(models.create("hypercolumn", widths=(4,) * 5, fc_width=0))


def test_a_branch_s_weights_are_read_once(pooled_mobilenet_weights):
    options, path = pooled_mobilenet_weights
    inner = options | {"branch_weights": str(path), "width": 0.05}
    model = models.create("mask_guided", colorizer="koalarization", colorizer_options=inner, mask_width=3)
    assert "branch_weights" not in model.get_config()["colorizer_options"]
    expected = models.create("koalarization", **inner).get_layer("mobilenet_1.00_32").get_weights()
    for value, other in zip(model.get_layer("mobilenet_1.00_32").get_weights(), expected, strict=True):
        np.testing.assert_array_equal(value, other)


def test_a_supervised_mask_learns_the_pictures_masks(tmp_path, crops):
    """The masks of these shards are the lightness itself."""
    packed = write_packed(tmp_path / "masked", {"train": (crops, np.full(30, -1))}, with_mask=True)
    model = models.create("mask_guided", colorizer="unet", colorizer_options={"filters": [8, 8]}, mask_width=8)
    weights = {name: model.output_weights.get(name, 1.0) for name in model.output_names}
    model.compile("adam", default_losses(model.output_names), loss_weights=weights, jit_compile=False)
    model.optimizer.learning_rate.assign(0.01)
    batches = load(packed, batch_size=15, targets=model.output_names, repeat=True)
    model.fit(batches, steps_per_epoch=80, shuffle=False, verbose=0)
    inputs, targets, _ = next(iter(load(packed, batch_size=30, targets=("mask",), shuffle=False)))
    predicted = np.array(model(inputs, training=False)["mask"])
    assert np.corrcoef(predicted.ravel(), np.array(targets["mask"]).ravel())[0, 1] > 0.8


def test_training_weighs_the_losses_as_the_system_says(tmp_path, unlabelled):
    """And, without masks in the data, the concrete mask goes down to its share."""
    options = UNET | {"guide": "concrete", "mask_share": 0.2, "share_weight": 20.0, "masked_weight": 0.0}
    values = {"epochs": 1, "steps_per_epoch": 60, "batch_size": 7, "learning_rate": 0.02, "schedule": "constant"}
    config = TrainConfig(str(unlabelled), model="mask_guided", model_options=options, **values)
    model = train(config, tmp_path / "run", report=[].append)
    assert model._compile_loss._user_loss_weights == {"ab": 1, "mask": 0.1, "masked_ab": 0}
    inputs, _, _ = next(iter(load(unlabelled, "train", batch_size=21)))
    assert np.array(model(inputs, training=True)["mask"]).mean() < 0.22
