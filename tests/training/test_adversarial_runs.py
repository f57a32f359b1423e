"""Adversarial runs by `train` and by the command."""

import csv
import dataclasses
import json
import os
import signal
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest

from densecolor.checkpoint import load_model
from densecolor.errors import TrainingError
from densecolor.losses import ADVERSARIAL_OBJECTIVES
from densecolor.training import TrainConfig
from densecolor.training import dry_run
from densecolor.training import train
from densecolor.training.adversarial.callbacks import WatchAdversary
from densecolor.training.state import read_progress

TINY = {
    "model": "unet",
    "model_options": {"filters": [4, 8]},
    "epochs": 3,
    "batch_size": 7,  # 3 steps an epoch
    "image_size": 16,
    "samples": 3,
    "gan_layers": 1,
    "gan_filters": 4,
}
# All that has a state of its own; the adversary begins inside the first epoch.
STATEFUL = {
    "gan": "wgan-gp",
    "gan_mask": "foreground",
    "gan_start": 1,
    "gan_pool": 9,
    "gan_spectral": True,
    "gan_discriminator_steps": 2,
    "gan_discriminator_rate": 3e-3,
    "ema": 0.5,
}


@pytest.fixture(scope="module")
def whole(masked, tmp_path_factory):
    """An uninterrupted run: (config, run directory, lines reported, what `train` returned)."""
    run, lines = tmp_path_factory.mktemp("runs") / "whole", []
    config = TrainConfig(data=masked, **TINY, **STATEFUL)
    return config, run, lines, train(config, run, report=lines.append)


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def arrays(run):
    with np.load(run / "last/state.npz") as state:
        return {name: state[name] for name in state.files if not name.startswith("progress")}


def test_what_is_saved_is_the_colorizer(whole):
    _, run, lines, model = whole
    assert lines[1].startswith("Adversary wgan-gp, mask foreground, from step 2 on: whole_discriminator ")
    for name in ("best.keras", "final.keras"):
        assert load_model(run / name).count_params() == model.count_params()
    for one, other in zip(load_model(run / "final.keras").get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_history_tensorboard_and_samples_show_the_adversary(whole):
    _, run, _, _ = whole
    first, second, last = history(run)
    losses = ["gan_generator", "gan_discriminator", "score_true", "score_predicted", "gradient_penalty"]
    for name in [*losses, "discriminator_accuracy", *(f"masked_{name}" for name in losses)]:
        assert last[name] != 0
        assert f"val_{name}" not in last
    for name in ("attention", "generator_gradient_norm", "discriminator_gradient_norm", "color_spread"):
        assert min(first[name], second[name], last[name]) > 0
    assert {"loss", "val_loss", "val_ab_mse"} < set(last)
    events = b"".join(path.read_bytes() for path in (run / "tensorboard").rglob("*tfevents*"))
    for name in (b"epoch_masked_score_true", b"epoch_gradient_penalty", b"epoch_generator_gradient_norm", b"samples"):
        assert name in events
    grid = cv2.imread(str(run / "samples/epoch-0003.png"))
    assert grid.shape == (3 * 16, 4 * 16, 3)  # gray, predicted, true, mask
    # The masks of these shards are the lightness of each picture.
    np.testing.assert_allclose(grid[:, 48:, 0], grid[:, :16, 0], atol=25)


@pytest.mark.slow
# Before the adversary begins, when it does, after the last step of an epoch, and inside the last epoch.
@pytest.mark.parametrize("step", [5, *(pytest.param(step, marks=pytest.mark.slow) for step in (1, 6, 8))])
def test_resumed_like_never_stopped(whole, tmp_path, step):
    config, expected, _, _ = whole
    run = tmp_path / "run"

    def stop(done, total):
        if done == step:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        train(config, run, progress=stop, report=str)
    reached = read_progress(run / "last/state.npz")
    assert reached.epoch * 3 + reached.step == step
    train(config, run, resume=True, report=str)
    # Threads add up in another order each time, and Adam divides a gradient by its own size. Of a critic's last bias
    # rounding is all there is, since it adds to the scores of both sides: it goes either way by its rate in each step
    # of the discriminators, and all scores go with it.
    drift = 2 * 3e-3 * 18
    for row, other in zip(history(run), history(expected), strict=True):
        for name, value in row.items():
            shifted = "score_" in name or "gan_generator" in name or "accuracy" in name
            assert value == pytest.approx(other[name], rel=1e-2, abs=drift if shifted else 2e-3), name
    ours, theirs = arrays(run), arrays(expected)
    assert set(ours) == set(theirs)
    same = []
    for name, array in ours.items():
        np.testing.assert_allclose(array, theirs[name], rtol=1e-2, atol=drift, err_msg=name)
        if array.dtype.kind == "f":
            same.append(np.isclose(array, theirs[name], rtol=1e-3, atol=1e-5).ravel())
        else:
            np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert np.concatenate(same).mean() > 0.99


def command(*arguments):
    line = [sys.executable, "-c", "from densecolor.cli.train import main; main()", *map(str, arguments)]
    return subprocess.run(line, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_deterministic_to_the_bit_by_the_command(masked, tmp_path):
    """Stopped by a kill after a state inside an epoch, and resumed."""
    values = TINY | STATEFUL | {"data": "overridden", "epochs": 2, "deterministic": True, "threads": 1, "save_every": 2}
    (tmp_path / "options.json").write_text(json.dumps(values))
    script = """
import os, sys
from densecolor.training import TrainConfig, train
def stop(done, total):
    if done == 5:
        os._exit(9)
train(TrainConfig.from_file(sys.argv[1], data=sys.argv[2]), sys.argv[3], progress=stop, report=str)
"""
    killed = subprocess.run(
        [sys.executable, "-c", script, tmp_path / "options.json", masked, tmp_path / "run"], check=False
    )
    assert killed.returncode == 9
    for run, resume in (("run", ["--resume"]), ("whole", [])):
        result = command(masked, tmp_path / run, "--config", tmp_path / "options.json", *resume)
        assert result.returncode == 0, result.stderr
    ours, theirs = arrays(tmp_path / "run"), arrays(tmp_path / "whole")
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
    assert (tmp_path / "run/history.csv").read_text() == (tmp_path / "whole/history.csv").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("objective", ADVERSARIAL_OBJECTIVES)
def test_every_objective_in_every_precision(masked, tmp_path, objective, precision):
    options = {"gan": objective, "gan_mask": "saliency", "precision": precision, "epochs": 1}
    train(TrainConfig(data=masked, **TINY | options), tmp_path / "run", report=str)
    (row,) = history(tmp_path / "run")
    assert all(np.isfinite(value) for value in row.values())
    assert load_model(tmp_path / "run").dtype_policy.name == precision


def test_no_masks(unlabelled, tmp_path):
    options = ["--model", "unet", "--gan", "wgan-gp", "--gan-mask", "foreground", "-o", "filters=[4,8]"]
    result = command(unlabelled, tmp_path / "run", *options)
    assert result.returncode == 1
    assert "has no masks, which gan_mask=foreground needs" in result.stderr
    assert "densecolor-pack SOURCE OUT --image-size 32 --masks otsu" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_masks_of_another_kind(masked, tmp_path):
    manifest = json.loads((masked / "manifest.json").read_text())
    other = tmp_path / "saliency"
    other.mkdir()
    for path in masked.glob("*.h5"):
        (other / path.name).symlink_to(path)
    (other / "manifest.json").write_text(json.dumps(manifest | {"options": {"masks": "saliency"}}))
    with pytest.raises(TrainingError, match="packed with --masks saliency, and gan_mask=foreground is asked for"):
        train(TrainConfig(data=other, gan="hinge", gan_mask="foreground", **TINY), tmp_path / "run", report=str)


def test_a_colorizer_without_masks_learns_none(masked, tmp_path):
    with pytest.raises(TrainingError, match="'unet' predicts none"):
        train(TrainConfig(data=masked, gan="hinge", gan_mask="learned", **TINY), tmp_path / "run", report=str)
    with pytest.raises(TrainingError, match=r"judges pictures of at least 24 pixels\. Received: 16"):
        train(TrainConfig(data=masked, gan="hinge", **TINY | {"gan_layers": 3}), tmp_path / "run", report=str)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gan": "dcgan"}, "Unknown gan='dcgan'. Choose from none, vanilla"),
        ({"gan_mask": "foreground"}, "gan_mask=foreground is for an adversary, and there is none"),
        ({"gan": "wgan-gp", "gan_normalization": "batch"}, "gan_normalization=batch mixes pictures"),
        ({"gan": "hinge", "gan_pool": 4}, "`gan_pool` must be 0, or at least the batch size 16"),
        ({"gan": "hinge", "gan_discriminator_rate": 0.0}, "`gan_discriminator_rate` must be positive"),
        ({"gan": "hinge", "gan_weight": -1.0}, "`gan_weight` must not be negative"),
        ({"gan": "hinge", "gan_discriminator_steps": 0}, "`gan_discriminator_steps` must be an integer of at least 1"),
    ],
)
def test_bad_options(packed, options, message):
    with pytest.raises(TrainingError) as error:
        TrainConfig(data=packed, **options)
    assert message in str(error.value)


def test_dry_run_counts_the_discriminators(masked):
    plan = dry_run(TrainConfig(data=masked, **TINY, **STATEFUL))
    # 4x4 kernels and bias: 3 or 4 inputs to 4, 4 to 8 with scale and offset, 8 to 1; a vector for each spectral norm.
    sizes = [16 * inputs * 4 + 4 + 16 * 4 * 8 + 2 * 8 + 16 * 8 + 1 + (4 + 8 + 1) for inputs in (3, 4)]
    assert plan.discriminators == {"whole_discriminator": sizes[0], "masked_discriminator": sizes[1]}
    assert f"masked_discriminator {sizes[1]:,} parameters; 2 of their steps for each" in plan.text()
    assert plan.optimizer_bytes > 12 * plan.trainable_parameters + 8 * (sum(sizes) - 26)


def epoch(accuracy=0.7, true=0.5, predicted=-0.5, spread=0.5):
    return {
        "score_true": true,
        "score_predicted": predicted,
        "discriminator_accuracy": accuracy,
        "color_spread": spread,
    }


def test_what_goes_wrong_is_said_once():
    lines = []
    watch = WatchAdversary("hinge", start=5, steps_per_epoch=4, report=lines.append)
    watch.on_epoch_end(0, epoch(spread=0))  # before the adversary has had a whole epoch
    watch.on_epoch_end(1, epoch(spread=0))
    watch.on_epoch_end(2, epoch(accuracy=1))
    assert lines == []
    watch.on_epoch_end(3, epoch(accuracy=1, true=2e4, spread=0.01))
    starts = ["The adversary diverges: score_true is 2e+04", "A discriminator tells all", "The colours have collapsed"]
    assert [line.startswith(start) for line, start in zip(lines, starts, strict=True)] == [True] * 3
    resumed = WatchAdversary("hinge", start=5, steps_per_epoch=4, report=lines.append)
    resumed.set_state(json.loads(json.dumps(watch.get_state())))
    resumed.on_epoch_end(4, epoch(accuracy=1, true=2e4, spread=0.01))
    assert len(lines) == 3
    resumed.on_epoch_end(5, epoch())
    resumed.on_epoch_end(6, epoch(spread=0.01))
    assert len(lines) == 4
    critic = WatchAdversary("wgan-gp", start=0, steps_per_epoch=4, report=lines.append)
    for number in range(3):
        critic.on_epoch_end(number, epoch(accuracy=1))
    assert len(lines) == 4


def test_a_run_that_diverges_is_ended_with_advice(masked, tmp_path):
    config = TrainConfig(data=masked, gan="lsgan", gan_discriminator_rate=1e30, optimizer="sgd", **TINY)
    with pytest.raises(TrainingError, match=r"became (nan|inf).* has diverged\. .*lower gan_discriminator_rate"):
        train(config, tmp_path / "run", report=str)


def test_without_weight_the_adversary_changes_nothing(masked, tmp_path):
    """Nor do its random numbers: the colorizer trains as without it."""
    config = TrainConfig(data=masked, **TINY | {"beta_1": 0.5, "epochs": 1})
    alone = train(config, tmp_path / "alone", report=str)
    judged = dataclasses.replace(config, gan="vanilla", gan_weight=0.0)
    keras.utils.clear_session(free_memory=False)
    for one, other in zip(
        alone.get_weights(), train(judged, tmp_path / "judged", report=str).get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)
