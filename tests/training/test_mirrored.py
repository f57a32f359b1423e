"""Several replicas must train what one replica trains."""

import subprocess
import sys

import numpy as np
import pytest

from densecolor.checkpoint import load_model

# One MirroredStrategy a process, so each run is a process of its own, with two logical CPU devices.
DEVICES = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
"""

# Small pictures leave the last normalisations of a class branch with BatchNormalization only a few values a channel;
# there a difference of 1e-7 in the input makes one of 1e-3 in the weights. So what is compared is computed in float64.
COMPARE = f"""{DEVICES}
import keras, numpy as np
from densecolor import models
from densecolor.dataset import load
from densecolor.losses import default_losses
data, num_classes, preset, branch, optimizer = sys.argv[1:]
targets = ("ab", "label") if int(num_classes) else ("ab",)
results = []
for strategy in (
    tf.distribute.get_strategy(),
    # The default reduction packs gradients of one type only; the heads are float32.
    tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()),
):
    keras.utils.set_random_seed(0)
    with strategy.scope():
        model = models.create(preset, branch=branch, num_classes=int(num_classes), dtype="float64", sync_batchnorm=True)
        model.compile({{"sgd": keras.optimizers.SGD(1e-3), "adam": keras.optimizers.Adam(1e-3)}}[optimizer],
                      loss=default_losses(model.output_names), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
    batches = load(data, batch_size=8, targets=targets, repeat=True)
    checked = load(data, "validation", batch_size=8, targets=targets)
    history = model.fit(batches, steps_per_epoch=3, validation_data=checked, epochs=2, verbose=0, shuffle=False).history
    results.append((history, model.get_weights()))
(one, one_weights), (two, two_weights) = results
print(max(abs(a - b) for name in one for a, b in zip(one[name], two[name], strict=True)))
print(max(np.abs(a - b).max() for a, b in zip(one_weights, two_weights, strict=True)))
"""

TRAIN = f"""{DEVICES}
from densecolor.training import TrainConfig, train
data, run, batch_size = sys.argv[1:]
train(TrainConfig(data=data, model="unet", model_options={{"filters": [4, 8]}}, epochs=1,
                  batch_size=int(batch_size), strategy="mirrored", schedule="constant", scale_learning_rate=True), run)
"""


# Averages, clipping and the mean over pictures of information loss; unequal shares of a last batch of 1 of 8.
OPTIONS = f"""{DEVICES}
import numpy as np
from densecolor.training import TrainConfig, train
data, folder = sys.argv[1:]
weights = []
for strategy in ("one", "mirrored"):
    config = TrainConfig(
        data=data, model="unet", model_options={{"filters": [4, 8], "sync_batchnorm": True}}, epochs=2, batch_size=8,
        strategy=strategy, optimizer="sgd", learning_rate=0.1, ema=0.8, clip_norm=0.02, monitor="info_loss")
    weights.append(train(config, f"{{folder}}/{{strategy}}", report=str).get_weights())
print(max(np.abs(a - b).max() for a, b in zip(*weights, strict=True)))
"""


def python(script, *arguments):
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("folder", "num_classes", "preset", "branch", "optimizer", "tolerance"),
    [
        ("packed", 3, "dense_tiny", "vgg16", "sgd", 1e-6),
        pytest.param("unlabelled", 0, "dense_tiny", "vgg16", "sgd", 1e-6, marks=pytest.mark.slow),
        pytest.param("packed", 3, "dense_small", "mobilenet_v3_small", "sgd", 1e-4, marks=pytest.mark.slow),
        pytest.param("packed", 3, "dense_small", "mobilenet_v3_small", "adam", 1e-3, marks=pytest.mark.slow),
    ],
)
def test_two_mirrored_replicas_equal_one(request, folder, num_classes, preset, branch, optimizer, tolerance):
    """A real preset, synchronised BatchNormalization, labels, and a last batch of 5 of 8 pictures, for two epochs."""
    result = python(COMPARE, request.getfixturevalue(folder), num_classes, preset, branch, optimizer)
    assert result.returncode == 0, result.stderr
    history_difference, weight_difference = map(float, result.stdout.split()[-2:])
    assert history_difference < tolerance
    assert weight_difference < tolerance


def test_mirrored_run(packed, tmp_path):
    result = python(TRAIN, packed, tmp_path / "run", 8)
    assert result.returncode == 0, result.stderr
    assert "on 2 device(s)" in result.stdout
    names, *rows = (tmp_path / "run/history.csv").read_text().splitlines()
    assert len(rows) == 1
    row = dict(zip(names.split(","), np.float64(rows[0].split(",")), strict=True))
    assert np.isfinite(list(row.values())).all()
    assert row["learning_rate"] == pytest.approx(2e-3)  # 1e-3 for each of two devices
    assert load_model(tmp_path / "run").sync_batchnorm


def test_batch_that_does_not_divide(packed, tmp_path):
    result = python(TRAIN, packed, tmp_path / "run", 7)
    assert result.returncode != 0
    assert "batch of 7 does not divide over 2 devices. Use 6 or 8." in result.stderr
    assert not (tmp_path / "run").exists()


def test_options_of_the_optimizer_on_two_replicas(packed, tmp_path):
    result = python(OPTIONS, packed, tmp_path)
    assert result.returncode == 0, result.stderr
    assert float(result.stdout.split()[-1]) < 1e-5
    one, two = (
        np.genfromtxt(tmp_path / name / "history.csv", delimiter=",", names=True) for name in ("one", "mirrored")
    )
    for column in ("val_ab_mse", "info_loss", "val_info_loss"):
        # A pixel at the edge of a level may fall to either side.
        np.testing.assert_allclose(one[column], two[column], rtol=1e-3)
