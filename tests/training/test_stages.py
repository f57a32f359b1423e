"""Training that begins with a trained model, and the losses of a second stage."""

import shutil

import keras
import numpy as np
import pytest

from densecolor.checkpoint import load_model
from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training import train

TINY = {
    "model": "scgan",
    "model_options": {"filters": [4] * 7, "global_widths": [4] * 5, "saliency_width": 3},
    "epochs": 1,
    "steps_per_epoch": 2,
    "batch_size": 4,
    "samples": 1,
}
ADVERSARY = {"gan": "wgan-gp", "gan_mask": "learned", "gan_layers": 1, "gan_filters": 4, "attention_weight": 0.0}


@pytest.fixture(scope="module")
def first(masked, tmp_path_factory):
    """The run directory of a first stage."""
    run = tmp_path_factory.mktemp("runs") / "first"
    train(TrainConfig(masked, **TINY), run, report=str)
    return run


@pytest.mark.slow
def test_a_second_stage_begins_where_the_first_ended(masked, first, tmp_path):
    keras.utils.set_random_seed(4)
    keras.applications.VGG16(include_top=False, weights=None, input_shape=(32, 32, 3)).save_weights(
        tmp_path / "vgg16.weights.h5"
    )
    copy = shutil.copytree(first, tmp_path / "copy")
    # So small a rate changes no weight, so that those of the first stage are seen at the end of the second.
    options = TINY | ADVERSARY | {"learning_rate": 1e-30, "start_from": copy}
    config = TrainConfig(masked, **options, perceptual=str(tmp_path / "vgg16.weights.h5"))
    second = train(config, tmp_path / "second", report=str)
    trained = {variable.path: variable.numpy() for variable in second.trainable_variables}
    before = {variable.path: variable.numpy() for variable in load_model(first / "final.keras").trainable_variables}
    assert trained.keys() == before.keys()
    for path, values in before.items():
        np.testing.assert_array_equal(trained[path], values)
    header, row = (tmp_path / "second/history.csv").read_text().splitlines()[:2]
    figures = dict(zip(header.split(","), map(float, row.split(",")), strict=True))
    assert figures["masked_gan_discriminator"] != 0
    alone = TrainConfig(masked, **options)
    train(alone, tmp_path / "alone", report=str)
    header, row = (tmp_path / "alone/history.csv").read_text().splitlines()[:2]
    # Five times the perceptual loss is in the loss of RGB.
    assert figures["rgb_loss"] > 1.001 * float(row.split(",")[header.split(",").index("rgb_loss")])
    shutil.rmtree(copy)
    train(config, tmp_path / "second", resume=True, report=str)  # what it began with is needed no more


def test_what_does_not_fit_is_refused(masked, first, tmp_path):
    other = TINY | {"model_options": TINY["model_options"] | {"saliency_width": 2}}
    with pytest.raises(TrainingError, match="holds another model than 'scgan_colorizer'"):
        train(TrainConfig(masked, **other, start_from=first), tmp_path / "run", report=str)
    with pytest.raises(TrainingError, match="The perceptual loss is for models that predict RGB"):
        train(TrainConfig(masked, "unet", {"filters": [4, 8]}, perceptual="imagenet"), tmp_path / "run", report=str)
    with pytest.raises(TrainingError, match="gan_judges=masked needs a mask"):
        TrainConfig(masked, "unet", gan="hinge", gan_judges="masked")
