import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from densecolor.checkpoint import load_model

OPTIONS = ["--model", "unet", "-o", "filters=[4,8]", "--batch-size", "8", "--image-size", "16"]


def command(*arguments):
    script = "from densecolor.cli.train import main; main()"
    return [sys.executable, "-c", script, *map(str, arguments)]


def run(*arguments):
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False)


def test_train_then_resume_a_finished_run(packed, tmp_path):
    result = run(packed, tmp_path / "run", *OPTIONS, "--epochs", 2, "--json")
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["best"] == str(tmp_path / "run/best.keras")
    assert "epoch 2/2" in result.stderr
    assert "Traceback" not in result.stderr
    assert "oneDNN" not in result.stderr
    assert load_model(tmp_path / "run").filters == (4, 8)

    again = run(packed, tmp_path / "run", *OPTIONS)
    assert again.returncode == 1
    assert "already holds a run" in again.stderr
    assert "Traceback" not in again.stderr
    finished = run(packed, tmp_path / "run", "--resume")
    assert finished.returncode == 0, finished.stderr
    assert "0 epochs to go" in finished.stderr


def test_ctrl_c_and_resume(packed, tmp_path):
    """A stopped run goes on with its own options and ends with the weights of one that was never stopped."""
    whole = run(packed, tmp_path / "whole", *OPTIONS, "--epochs", 40, "--deterministic")
    assert whole.returncode == 0, whole.stderr
    stopped = tmp_path / "stopped"
    with subprocess.Popen(
        command(packed, stopped, *OPTIONS, "--epochs", 40, "--deterministic"), stderr=subprocess.PIPE, text=True
    ) as process:
        while not (stopped / "last" / "state.npz").exists():
            assert process.poll() is None
            time.sleep(0.05)
        os.kill(process.pid, signal.SIGINT)
        _, messages = process.communicate()
    assert process.returncode == 130
    assert "Interrupted" in messages
    assert not (stopped / "final.keras").exists()
    assert not list(stopped.rglob("*partial*"))
    result = run(packed, stopped, "--resume")
    assert result.returncode == 0, result.stderr
    expected, got = load_model(tmp_path / "whole/final.keras"), load_model(stopped / "final.keras")
    for one, other in zip(expected.get_weights(), got.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_options_from_another_run(packed, tmp_path):
    config = tmp_path / "config.json"
    config.write_text(
        json.dumps({"model": "unet", "model_options": {"filters": [4, 8]}, "epochs": 1, "image_size": 16})
    )
    result = run(packed, tmp_path / "run", "--config", config, "--batch-size", 4)
    assert result.returncode == 0, result.stderr
    saved = json.loads((tmp_path / "run/config.json").read_text())
    assert (saved["epochs"], saved["batch_size"], saved["model_options"]) == (1, 4, {"filters": [4, 8]})


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "vgg"], "Unknown model 'vgg'. Choose from"),
        (["--model", "unet", "-o", "depth=3"], "has no option 'depth'"),
        (["-o", "depth"], "NAME=VALUE"),
        (["--image-size", "64"], "32 pixels"),
        (["--strategy", "all"], "auto, one, mirrored"),
        (["--learning-rate", "-1"], "must be positive"),
        (["--model", "unet", "-o", "filters=8"], "cannot be built with filters=8"),
    ],
)
def test_bad_options_are_one_line(packed, tmp_path, arguments, message):
    result = run(packed, tmp_path / "run", *arguments)
    assert result.returncode == 1
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


def test_missing_data(tmp_path):
    result = run(tmp_path / "nowhere", tmp_path / "run")
    assert result.returncode == 1
    assert "There is no packed folder" in result.stderr
