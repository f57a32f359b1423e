"""CycleGAN's training on two folders that share no picture; the other systems that an adversary alone teaches."""

import csv
import dataclasses

import numpy as np
import pytest
from conftest import write_packed

from densecolor.checkpoint import load_model
from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training import dry_run
from densecolor.training import train
from densecolor.training.unpaired import load_unpaired

TINY = {
    "model": "cyclegan",
    "model_options": {"filters": 3, "blocks": 1},
    "epochs": 2,
    "batch_size": 4,
    "image_size": 16,
    "samples": 2,
    "gan": "lsgan",
    "gan_weight": 2.0,
    "gan_normalization": "instance_plain",
    "gan_layers": 1,
    "gan_filters": 3,
    "gan_pool": 5,
    "color_weight": 0.0,
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory, crops):
    """Gray pictures and colour pictures that are other ones, and of another number and size."""
    folder = tmp_path_factory.mktemp("unpaired")
    nothing = np.full(30, -1)
    gray = write_packed(
        folder / "gray", {"train": (crops[:9], nothing[:9]), "validation": (crops[9:13], nothing[9:13])}
    )
    larger = np.repeat(np.repeat(crops[13:], 2, axis=1), 2, axis=2)
    return gray, write_packed(folder / "color", {"train": (larger, nothing[13:])})


def test_batches_have_the_colours_of_the_other_folder(folders):
    gray, color = folders
    inputs, _, _ = next(iter(load_unpaired(gray, color, batch_size=4, image_size=32, repeat=True)))
    assert inputs["lightness"].shape == (4, 32, 32, 1)
    assert inputs["unpaired"].shape == (4, 32, 32, 3)
    assert inputs["unpaired_weight"].shape == (4,)
    assert 0 <= np.min(inputs["unpaired"]) < np.max(inputs["unpaired"]) <= 1
    same = next(iter(load_unpaired(gray, gray, batch_size=4, image_size=32, targets=("rgb",), repeat=True)))
    assert abs(same[0]["unpaired"] - same[1]["rgb"]).numpy().mean() > 0.01  # another order


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_run_on_two_folders(folders, tmp_path):
    gray, color = folders
    config = TrainConfig(data=gray, unpaired=color, **TINY)
    lines = []
    train(config, tmp_path / "run", report=lines.append)
    assert "color_discriminator" in lines[1]
    assert "gray_discriminator" in lines[1]
    first, last = history(tmp_path / "run")
    for name in ("cycle", "identity", "gan_generator", "gray_gan_generator", "gan_discriminator", "color_spread"):
        assert 0 < last[name] < 10
    assert last["cycle"] < first["cycle"]
    assert last["identity"] < first["identity"]
    assert last["loss"] == 0  # nothing compares with the gray pictures' own colours
    model = load_model(tmp_path / "run/best.keras")
    colors = model.predict_on_batch(np.zeros((1, 33, 21, 1), np.float32))["rgb"]
    assert colors.shape == (1, 33, 21, 3)


@pytest.mark.slow
def test_one_folder_may_stand_on_both_sides(folders):
    plan = dry_run(TrainConfig(data=folders[0], **TINY))
    assert set(plan.discriminators) == {"color_discriminator", "gray_discriminator"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "unet", "model_options": {"filters": [4, 8]}}, "`unpaired` is for cyclegan and its adversary"),
        ({"gan": "none"}, "`unpaired` is for cyclegan and its adversary"),
        ({"gan": "wgan-gp"}, "without a gradient penalty"),
        ({"gan": "relativistic"}, "has no pairs to compare"),
        ({"image_size": 18}, "trained on sides that are multiples of 4. Received: 18"),
    ],
)
def test_mistakes_are_explained(folders, changes, message, tmp_path):
    config = TrainConfig(data=folders[0], unpaired=folders[1], **TINY | changes)
    with pytest.raises(TrainingError, match=message):
        train(config, tmp_path / "run", report=str)


SMALL = {"epochs": 1, "steps_per_epoch": 2, "batch_size": 4, "image_size": 32, "samples": 2, "gan_filters": 4}


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        pytest.param(
            "colorgan",
            {"model_options": {"filters": [4, 4, 4], "map_size": 8}, "gan_layers": 2},
            marks=pytest.mark.slow,
        ),
        ("gan", {"model_options": {"filters": [4, 6, 8]}, "gan_layers": 2}),
        pytest.param("wgan", {"model_options": {"filters": [4, 6, 8]}, "gan_layers": 2}, marks=pytest.mark.slow),
        pytest.param("wgan_gp", {"model_options": {"filters": [4, 6, 8]}, "gan_layers": 2}, marks=pytest.mark.slow),
        pytest.param("dcgan", {"model_options": {"filters": [4, 6, 8]}, "gan_layers": 2}, marks=pytest.mark.slow),
    ],
)
def test_recipes_run(packed, tmp_path, model, changes):
    config = TrainConfig.from_recipe(packed, model)
    config = dataclasses.replace(config, **SMALL | changes)
    train(config, tmp_path / "run", report=str)
    (row,) = history(tmp_path / "run")
    assert row["generator_gradient_norm"] > 0
    assert row["discriminator_gradient_norm"] > 0
    assert (row["loss"] == 0) == (model in ("colorgan", "gan"))
