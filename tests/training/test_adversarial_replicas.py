"""An adversarial run on several replicas must be that of one."""

import json

import numpy as np
import pytest
from workers import COMMAND
from workers import finish
from workers import free_addresses
from workers import start

from densecolor.checkpoint import load_model

# A last batch of 5 of 8 pictures, so that padding and its weights matter. Batch statistics, where a network has them,
# are synchronised. One process trains on one device, then on two logical ones.
MIRRORED = """
import json, sys
from pathlib import Path
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import numpy as np
from densecolor.training import TrainConfig, train
from densecolor.training.state import read_progress
data, folder, options = sys.argv[1:]
differences, rows = [], []
for strategy in ("one", "mirrored"):
    config = TrainConfig(data=data, strategy=strategy, **json.loads(options))
    train(config, f"{folder}/{strategy}", report=str)
    state = np.load(f"{folder}/{strategy}/last/state.npz", allow_pickle=False)
    differences.append([state[name] for name in state.files if name.startswith("weights/")])
    rows.append(read_progress(Path(f"{folder}/{strategy}/last/state.npz")).history)
print(len(differences[0]), max(np.abs(a - b).max() for a, b in zip(*differences, strict=True)))
for one, two in zip(*rows, strict=True):
    for name in one:
        assert abs(one[name] - two[name]) <= 1e-3 * max(1, abs(one[name])), (name, one[name], two[name])
"""
TINY = {
    "model": "unet",
    "model_options": {"filters": [4, 8], "sync_batchnorm": True},
    "epochs": 2,
    "batch_size": 8,
    "image_size": 16,
    "samples": 2,
    "optimizer": "sgd",
    "momentum": 0.0,
    "learning_rate": 0.05,
    "gan_discriminator_rate": 0.002,
    "gan_weight": 0.1,
    "gan_layers": 1,
    "gan_filters": 4,
}


@pytest.mark.parametrize(
    "options",
    [
        {"gan": "wgan-gp", "gan_mask": "foreground", "gan_discriminator_steps": 2},
        pytest.param(
            {"gan": "relativistic", "gan_normalization": "batch", "gan_spectral": True, "gan_start": 2},
            marks=pytest.mark.slow,
        ),
        pytest.param({"gan": "wgan", "gan_pool": 10, "ema": 0.5, "clip_norm": 0.05}, marks=pytest.mark.slow),
    ],
    ids=lambda options: options["gan"],
)
def test_two_mirrored_replicas_equal_one(masked, tmp_path, options):
    result = finish(start(MIRRORED, masked, tmp_path, json.dumps(TINY | options)))[0]
    assert result[0] == 0, result[2]
    count, difference = result[1].split()[-2:]
    assert int(count) > 35
    assert float(difference) < 1e-5


@pytest.mark.slow
def test_two_workers_equal_one(masked, tmp_path):
    addresses = free_addresses(2)
    options = tmp_path / "options.json"
    values = TINY | {"gan": "wgan-gp", "gan_mask": "foreground", "gan_pool": 10, "gan_start": 1, "save_every": 2}
    options.write_text(json.dumps(values | {"data": str(masked)}))
    both = ["--workers", ",".join(addresses)]
    processes = [start(COMMAND, masked, tmp_path / "alone", "--config", options)]
    for index in (0, 1):
        processes.append(start(COMMAND, masked, tmp_path / "two", "--config", options, *both, "--worker-index", index))
    for status, _, errors in finish(*processes):
        assert status == 0, errors
    states = [np.load(tmp_path / name / "last/state.npz") for name in ("alone", "two")]
    names = [name for name in states[0].files if name.startswith("weights/")]
    differences = [np.abs(states[0][name] - states[1][name]).max() for name in names]
    assert len(names) > 40
    assert max(differences) < 1e-5
    assert load_model(tmp_path / "two").name == "unet_colorizer"
