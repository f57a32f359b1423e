import dataclasses
import json
import subprocess
import sys

import pytest
from test_train import TINY

from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training import dry_run
from densecolor.training.dry_run import Plan
from densecolor.training.durations import format_duration

OPTIONS = ["--model", "unet", "-o", "filters=[4,8]", "--batch-size", "8", "--image-size", "16", "--dry-run"]


def run(folder, *arguments):
    command = [sys.executable, "-c", "from densecolor.cli.train import main; main()", *map(str, arguments)]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_command_prints_a_plan_and_leaves_nothing(packed, tmp_path):
    before = sorted(packed.rglob("*"))
    result = run(tmp_path, packed, "run", *OPTIONS, "--epochs", 4, "--ema", 0.9, "--json")
    assert result.returncode == 0, result.stderr
    assert not list(tmp_path.iterdir())
    assert sorted(packed.rglob("*")) == before
    plan = json.loads(result.stdout)
    # 21 pictures in batches of 8.
    assert (plan["pictures"], plan["validation_pictures"], plan["steps_per_epoch"], plan["steps"]) == (21, 9, 3, 12)
    assert plan["weights_bytes"] == 4 * plan["parameters"]
    # Two moments and the average of each trained weight; the step's number and the rate.
    assert plan["optimizer_bytes"] == pytest.approx(12 * plan["trainable_parameters"], abs=16)
    assert plan["gradients_bytes"] == 4 * plan["trainable_parameters"]
    assert plan["measured_bytes"] > 50e6
    assert plan["images_per_second"] == pytest.approx(8 / plan["seconds_per_step"])
    whole = 4 * (3 * plan["seconds_per_step"] + plan["seconds_per_validation"])
    assert plan["seconds"] == pytest.approx(whole)
    assert "\x1b" not in result.stderr  # no progress bar where nobody looks


def test_parameters_are_the_model_s(packed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []
    plan = dry_run(TrainConfig(data=packed, **TINY), progress=lambda done, total: seen.append((done, total)))
    assert seen == [(step, 10) for step in range(1, 11)]
    # Two convolutions of 4, two of 8, one of 4, the global features; offset and factor of each normalization.
    convolutions = 9 * (1 * 4 + 4 * 4 + 4 * 8 + 8 * 8 + 12 * 4)
    assert plan.trainable_parameters == convolutions + 2 * (4 + 4 + 8 + 8 + 4) + (8 * 8 + 8) + (9 * 4 * 2 + 2)
    assert plan.parameters - plan.trainable_parameters == 2 * (4 + 4 + 8 + 8 + 4)
    assert not list(tmp_path.iterdir())


def test_text_says_it_all():
    plan = Plan(
        model="unet",
        parameters=1500,
        trainable_parameters=1000,
        pictures=200,
        validation_pictures=50,
        image_size=64,
        batch_size=10,
        devices=2,
        epochs=5,
        steps_per_epoch=20,
        steps=100,
        weights_bytes=6000,
        optimizer_bytes=2_000_000,
        gradients_bytes=4000,
        measured="GPU",
        measured_bytes=3_000_000_000,
        seconds_per_step=0.5,
        images_per_second=20.0,
        seconds_per_validation=2.0,
        seconds=60.0,
        training=dataclasses.asdict(TrainConfig(data="packed", optimizer="sgd", schedule="step", learning_rate=0.02)),
    )
    text = plan.text()
    for part in (
        "1,500 parameters: 1,000 trained, 500 not",
        "200 pictures of 64 x 64 to train, 50 to validate",
        "20 an epoch of 10 pictures, 5 epochs: 100, on 2 device(s)",
        "3.00 GB, measured peak of the GPU",
        "sgd, learning rate 0.02, schedule step, 0 steps of warm-up, label weight 1",
        "20.0 images/s, 0.5 s a step",
        "1 min 0 s for the whole run",
    ):
        assert part in text


def test_refuses_what_training_refuses(packed):
    with pytest.raises(TrainingError, match="none of the run's 6 steps"):
        dry_run(TrainConfig(data=packed, **TINY | {"warmup_steps": 6}))
    with pytest.raises(TrainingError, match=r"loss became (nan|inf)"):
        dry_run(TrainConfig(data=packed, **TINY | {"learning_rate": 1e30}))


def test_durations_in_two_units():
    for seconds, text in (
        (0.34, "0.3 s"),
        (59.4, "59 s"),
        (59.6, "1 min 0 s"),
        (3599.7, "1 h 0 min"),
        (100_000, "1 d 3 h"),
    ):
        assert format_duration(seconds) == text
