"""What a run tells: its lines, the bar, TensorBoard's pictures, the summary."""

import json
import os
import pty
import subprocess
import sys

import cv2
import numpy as np
import pytest
import tensorflow as tf
from test_train import TINY
from test_train import history

from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training import summarize
from densecolor.training import train

PLAIN_KERAS = """
import sys
import densecolor.models
import keras
model = keras.saving.load_model(sys.argv[1])
print(type(model.optimizer).__name__, model.optimizer.global_clipnorm)
"""
COMMAND = [sys.executable, "-c", "from densecolor.cli.train import main; main()"]
OPTIONS = ["--model", "unet", "-o", "filters=[4,8]", "--batch-size", "8", "--image-size", "16"]


@pytest.fixture(scope="module")
def finished(packed, tmp_path_factory):
    """A run by information loss with all that a file may name: (config, run directory, lines, notes)."""
    run = tmp_path_factory.mktemp("runs") / "it's finished"
    config = TrainConfig(
        data=packed,
        **TINY | {"epochs": 3, "monitor": "info_loss", "schedule": "step", "step_epochs": 1, "clip_norm": 1},
    )
    lines, notes = [], []
    train(config, run, report=lines.append, note=notes.append)
    return config, run, lines, notes


def test_validation_information_loss_is_that_of_the_metric(finished, packed):
    from densecolor.checkpoint import load_model
    from densecolor.dataset import iterate
    from densecolor.metrics import info_loss

    _, run, _, _ = finished
    model = load_model(run / "best.keras")
    losses = []
    for record in iterate(packed, "validation"):
        lightness, true = record.L[8:24, 8:24], record.ab[8:24, 8:24]
        predicted = model(lightness[None, ..., None] / np.float32(127.5) - 1)["ab"][0] * 128
        losses.append(info_loss(true, np.asarray(predicted)))
    rows = history(run)
    assert min(row["val_info_loss"] for row in rows) == pytest.approx(np.mean(losses), abs=1e-2)


def test_lines_say_the_best_and_the_time_left(finished):
    _, run, lines, _ = finished
    values = [row["val_info_loss"] for row in history(run)]
    for number, line in enumerate(lines[1:]):
        assert line.startswith(f"epoch {number + 1}/3  ")
        assert ("(best)" in line) == (values[number] < min(values[:number], default=np.inf))
        assert line.endswith(" left") == (number < 2)


def test_notes_are_the_running_loss(finished):
    _, _, _, notes = finished
    assert len(notes) == 9
    assert all(float(note.removeprefix("loss ")) > 0 for note in notes)


def test_tensorboard_shows_the_sample_grids(finished):
    _, run, _, _ = finished
    (path,) = (run / "tensorboard/samples").iterdir()
    shown = {}
    for record in tf.data.TFRecordDataset(str(path)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            shown[event.step] = value.tag, value.tensor.string_val[2]
    assert sorted(shown) == [0, 1, 2]
    for step, (tag, png) in shown.items():
        assert tag == "samples"
        expected = cv2.imread(str(run / "samples" / f"epoch-{step + 1:04d}.png"))
        np.testing.assert_array_equal(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR), expected)


def test_plain_keras_reads_what_the_run_saved(finished):
    _, run, _, _ = finished
    result = subprocess.run(
        [sys.executable, "-c", PLAIN_KERAS, run / "best.keras"], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ["ClippedAdam", "1"]


def test_summary(finished):
    config, run, _, _ = finished
    rows = history(run)
    summary = summarize(run)
    assert summary.monitored == "val_info_loss"
    assert summary.best == min(rows, key=lambda row: row["val_info_loss"])
    assert summary.final == rows[-1]
    text = summary.text()
    assert f"densecolor-evaluate '{run.parent}/it'\"'\"'s finished' {config.data} --report" in text
    assert "densecolor-colorize PICTURE --model" in text
    assert f"best    epoch {summary.best['epoch']} of 3, by val_info_loss" in text


def test_summary_of_nothing(tmp_path):
    with pytest.raises(TrainingError, match="holds no run with a whole epoch"):
        summarize(tmp_path)


def test_terminal_shows_the_loss_beside_the_bar(packed, tmp_path):
    """On a terminal; its lines are also there, and the result is JSON."""
    ours, theirs = pty.openpty()
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    command = [*COMMAND, packed, tmp_path / "run", *OPTIONS, "--epochs", "2", "--monitor", "info_loss", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:  # the other side has closed
                break
            if not part:
                break
            shown += part
        output = process.stdout.read()
    os.close(ours)
    assert process.returncode == 0, shown.decode()
    text = shown.decode()
    assert "Training" in text
    assert "6/6" in text
    assert "loss 0.0" in text
    result = json.loads(output)
    assert result["monitored"] == "val_info_loss"
    assert result["final_epoch"]["epoch"] == 2
    assert result["best_epoch"]["val_info_loss"] <= result["final_epoch"]["val_info_loss"]
