"""Runs that are interrupted, and go on as if nothing had happened."""

import csv
import dataclasses
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import h5py
import keras
import numpy as np
import pytest

from densecolor import models
from densecolor.checkpoint import load_model
from densecolor.dataset import BatchReader
from densecolor.dataset.batches import model_values
from densecolor.errors import TrainingError
from densecolor.training import TrainConfig
from densecolor.training import train
from densecolor.training.state import Progress
from densecolor.training.state import read_progress
from densecolor.training.state import write_state
from densecolor.training.threads import set_threads

TINY = {
    "model": "unet",
    "model_options": {"filters": [4, 8]},
    "epochs": 3,
    "batch_size": 4,  # 6 steps an epoch
    "image_size": 16,
    "samples": 3,
    "learning_rate": 3e-3,
}
LONG = ["--model", "unet", "-o", "filters=[4,8]", "--batch-size", "4", "--image-size", "16", "--epochs", "25"]


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def require_same_models(run, other, names=("best.keras", "final.keras")):
    for name in names:
        for one, two in zip(load_model(run / name).get_weights(), load_model(other / name).get_weights(), strict=True):
            np.testing.assert_array_equal(one, two)


def validation_error(model, data):
    inputs, targets, _ = model_values(BatchReader(data, "validation", batch_size=9, image_size=16).read(0, 0), ["ab"])
    return np.mean((model.predict(inputs, verbose=0)["ab"] - targets["ab"]) ** 2)


def start(*arguments):
    """Start densecolor-train; returns the process when its model is built."""
    script = "from densecolor.cli.train import main; main()"
    command = [sys.executable, "-c", script, *map(str, arguments)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    lines = []
    for line in process.stderr:
        lines.append(line)
        if "epochs to go" in line:
            return process
    raise AssertionError("".join(lines))


@pytest.fixture(scope="module")
def whole(packed, tmp_path_factory):
    """A deterministic run of many epochs by the command: (run directory, seconds of training)."""
    run = tmp_path_factory.mktemp("runs") / "whole"
    process = start(packed, run, *LONG, "--deterministic")
    begin = time.monotonic()
    _, messages = process.communicate()
    assert process.returncode == 0, messages
    return run, time.monotonic() - begin


@pytest.mark.parametrize("kills", [2, pytest.param(5, marks=pytest.mark.slow)])
def test_killed_again_and_again(packed, whole, tmp_path, kills):
    expected, seconds = whole
    run = tmp_path / "run"
    moments, latest = random.Random(kills), seconds / kills
    while kills:
        process = start(packed, run, *LONG, "--deterministic", "--save-every", 4, "--resume")
        try:
            process.communicate(timeout=moments.uniform(0, latest))
            shutil.rmtree(run)  # it was faster this time: once more from the start
            latest /= 2
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            assert process.returncode == -signal.SIGKILL
            kills -= 1
    process = start(packed, run, "--resume")
    _, messages = process.communicate()
    assert process.returncode == 0, messages
    assert (run / "history.csv").read_text() == (expected / "history.csv").read_text()
    require_same_models(run, expected)
    assert not [path for path in run.rglob("*") if "partial" in path.name]


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 143), pytest.param(signal.SIGINT, 130, marks=pytest.mark.slow)]
)
def test_signals_save_the_step_in_work(packed, whole, tmp_path, number, status):
    expected, _ = whole
    run = tmp_path / "run"
    process = start(packed, run, *LONG, "--deterministic", "--save-every", 10_000)
    while "epoch 2/25" not in (line := process.stderr.readline()):
        assert line
    process.send_signal(number)
    _, messages = process.communicate()
    assert process.returncode == status
    stopped = re.search(rf"Stopped by {number.name}: (\d+) whole epochs and (\d) steps are kept", messages)
    reached = read_progress(run / "last/state.npz")
    assert (reached.epoch, reached.step) == tuple(map(int, stopped.groups()))
    assert 2 <= reached.epoch < 25
    assert not (run / "final.keras").exists()
    process = start(packed, run, "--resume")
    _, messages = process.communicate()
    assert process.returncode == 0, messages
    assert (run / "history.csv").read_text() == (expected / "history.csv").read_text()
    require_same_models(run, expected)


@pytest.fixture(scope="module")
def short(packed, tmp_path_factory):
    """A run of three epochs in this process: (config, run directory)."""
    run = tmp_path_factory.mktemp("runs") / "short"
    config = TrainConfig(data=packed, **TINY)
    train(config, run, report=str)
    return config, run


class Do:
    """A progress function that does something after some step."""

    def __init__(self, step, action):
        self.step = step
        self.action = action

    def __call__(self, done, total):
        if done == self.step:
            self.action()


def raise_interrupt():
    raise KeyboardInterrupt


def send(number):
    return lambda: os.kill(os.getpid(), number)


# In the first epoch, in the second, after the last step of an epoch but before its validation, in the last.
@pytest.mark.parametrize(
    "step", [pytest.param(2, marks=pytest.mark.slow), 9, 12, pytest.param(17, marks=pytest.mark.slow)]
)
def test_stopped_at_any_step(short, tmp_path, step):
    config, expected = short
    run = tmp_path / "run"
    handlers = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)]
    with pytest.raises(SystemExit) as stopped:
        train(config, run, progress=Do(step, send(signal.SIGTERM)), report=str)
    assert stopped.value.code == 143
    assert [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)] == handlers
    reached = read_progress(run / "last/state.npz")
    # A step that is the last of its epoch is stored as such, not as the beginning of the next one.
    assert (reached.epoch, reached.step) == ((step - 1) // 6, (step - 1) % 6 + 1)
    seen = []
    train(config, run, resume=True, progress=lambda done, total: seen.append((done, total)), report=str)
    assert seen == [(done, 18) for done in range(step + 1, 19)]
    for row, other in zip(history(run), history(expected), strict=True):
        assert row == pytest.approx(other, rel=1e-6)
    for one, other in zip(
        load_model(run / "final.keras").get_weights(), load_model(expected / "final.keras").get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_best_model_is_made_again_after_a_crash_before_it_was_written(short, packed, tmp_path):
    config, _ = short
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        train(config, run, progress=Do(7, raise_interrupt), report=str)
    (run / "best.keras").write_bytes(b"of steps that will be repeated")
    (run / "history.csv").unlink()
    (run / ".best-1.partial.keras").touch()
    with pytest.raises(KeyboardInterrupt):
        train(config, run, resume=True, progress=Do(7, raise_interrupt), report=str)
    (row,) = history(run)
    assert validation_error(load_model(run / "best.keras"), packed) == pytest.approx(row["val_ab_mse"], rel=1e-4)
    assert not list(run.rglob("*partial*"))


def test_two_processes_at_once(short, tmp_path):
    config, _ = short

    def train_meanwhile():
        for resume in (False, True):
            with pytest.raises(TrainingError, match=r"Another process is training into .*run\. Let it finish, or stop"):
                train(config, tmp_path / "run", resume=resume, report=str)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", progress=Do(8, train_meanwhile), report=str)


class FullDisk:
    """A progress function that lets no file grow beyond 2,000 bytes between two steps."""

    def __init__(self, first, last):
        self.limits = {first: 2_000, last: resource.RLIM_INFINITY}

    def __call__(self, done, total):
        if done in self.limits:
            resource.setrlimit(resource.RLIMIT_FSIZE, (self.limits[done], resource.RLIM_INFINITY))

    def __enter__(self):
        return self

    def __exit__(self, *error):
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


@pytest.mark.parametrize("save_every", [2, 100])
def test_a_full_disk_does_not_stop_training(short, packed, tmp_path, save_every):
    """It is full at the first epoch's end, and has space again in the second epoch or after it."""
    config, expected = short
    run, lines = tmp_path / "run", []
    with FullDisk(3, 9) as disk:
        train(dataclasses.replace(config, save_every=save_every), run, progress=disk, report=lines.append)
    failed = [
        match[1] for line in lines if (match := re.match(rf"{run}/(.+) cannot be written \(File too large\)", line))
    ]
    # After steps 4, 6 and 8, and at the epoch's end; without its state, best.keras is not tried.
    assert failed.count("last/state.npz") == (4 if save_every == 2 else 1)
    assert not list(run.rglob("*partial*"))
    for row, other in zip(history(run), history(expected), strict=True):
        assert row == pytest.approx(other, rel=1e-6)
    best = min(history(run), key=lambda row: row["val_ab_mse"])
    assert validation_error(load_model(run / "best.keras"), packed) == pytest.approx(best["val_ab_mse"], rel=1e-4)
    reached = read_progress(run / "last/state.npz")
    assert (reached.epoch, reached.step) == (3, 0)


def test_a_best_model_that_could_not_be_written_is_written_when_there_is_space(short, packed, tmp_path):
    """By the next state, with the weights of its epoch, though training has gone on."""
    config, _ = short
    run = tmp_path / "run"

    def look(done, total):
        disk(done, total)
        if done == 11:
            raise KeyboardInterrupt

    with FullDisk(5, 9) as disk, pytest.raises(KeyboardInterrupt):
        train(dataclasses.replace(config, save_every=10), run, progress=look, report=str)
    reached = read_progress(run / "last/state.npz")
    assert (reached.epoch, reached.step, reached.best_epoch) == (1, 4, 1)
    error = validation_error(load_model(run / "best.keras"), packed)
    assert error == pytest.approx(reached.history[0]["val_ab_mse"], rel=1e-4)


def test_a_final_model_that_cannot_be_written_is_written_by_resuming(short, tmp_path):
    config, expected = short
    run = tmp_path / "run"
    with (
        FullDisk(18, 19) as disk,
        pytest.raises(TrainingError, match=r"Training is done, but .*final\.keras.*--resume"),
    ):
        train(config, run, progress=disk, report=str)
    assert not (run / "final.keras").exists()
    train(config, run, resume=True, report=str)
    assert len(history(run)) == 3
    assert len(load_model(run / "final.keras").get_weights()) == len(load_model(expected).get_weights())


def test_stopped_during_a_validation(packed, tmp_path):
    """A picture of it is damaged, which is told while it is read: the moment to send the signal."""
    data = shutil.copytree(packed, tmp_path / "data")
    shard = data / "validation-00001-of-00002.h5"  # its only picture is not among the samples
    with h5py.File(shard) as file:
        place = file["ab"].id.get_chunk_info(0).byte_offset
    content = bytearray(shard.read_bytes())
    content[place + 9] ^= 0xFF
    shard.write_bytes(content)
    config = TrainConfig(data=data, skip_damaged=True, **TINY)
    train(config, tmp_path / "whole", report=str)

    def report(line):
        if "validation/8.png" in line:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit):
        train(config, tmp_path / "run", report=report)
    reached = read_progress(tmp_path / "run/last/state.npz")
    assert (reached.epoch, reached.step, reached.history) == (0, 6, [])
    train(config, tmp_path / "run", resume=True, report=str)
    for row, other in zip(history(tmp_path / "run"), history(tmp_path / "whole"), strict=True):
        assert row == pytest.approx(other, rel=1e-6)


def compiled(filters, seed=0):
    keras.utils.set_random_seed(seed)
    model = models.create("unet", filters=filters)
    model.compile("adam", loss={"ab": "mse"})
    model.optimizer.build(model.trainable_variables)
    return model


def test_state_of_another_model(short, tmp_path):
    config, expected = short
    shutil.copytree(expected, tmp_path / "run")
    state = tmp_path / "run/last/state.npz"
    write_state(state, compiled((4, 4)), Progress(epoch=1, pictures=21))
    with pytest.raises(TrainingError, match=r"state\.npz is the state of another model \(weights: .*best\.keras"):
        train(config, tmp_path / "run", resume=True, report=str)


def test_weights_that_are_no_numbers_do_not_replace_a_good_state(tmp_path):
    model, path = compiled((4, 8)), tmp_path / "state.npz"
    write_state(path, model, Progress(epoch=1))
    before = path.read_bytes()
    model.trainable_variables[0].assign(np.full(model.trainable_variables[0].shape, np.nan))
    with pytest.raises(TrainingError, match=r"became infinite or no numbers\. Try a lower learning rate"):
        write_state(path, model, Progress(epoch=2))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["state.npz"]


def test_state_holds_arrays_that_numpy_reads(tmp_path):
    model = compiled((4, 8))
    write_state(tmp_path / "state.npz", model, Progress(epoch=1))
    with zipfile.ZipFile(tmp_path / "state.npz") as archive:
        assert archive.testzip() is None
    with np.load(tmp_path / "state.npz", allow_pickle=False) as arrays:
        for number, weights in enumerate(model.get_weights()):
            np.testing.assert_array_equal(arrays[f"weights/{number:05d}"], weights)


def test_threads_cannot_change_once_tensorflow_is_at_work():
    compiled((4, 8))
    with pytest.raises(TrainingError, match="Train in a new process, or restart the notebook"):
        set_threads(3)


# A model with layers that draw random numbers, a metric, and a callback with a state, on one device or two: trained for
# two epochs at once, and in a second model from the state after each step.
RANDOM = """
import sys
from pathlib import Path
import tensorflow as tf
if sys.argv[1] == "mirrored":
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
import keras, numpy as np
from densecolor.training.resumption import ResumedCallbacks
from densecolor.training.state import Progress, read_progress, restore_state, restore_volatile, write_state
tf.config.experimental.enable_op_determinism()
folder, steps = Path(sys.argv[2]), 3
mirrored = tf.distribute.MirroredStrategy(
    ["CPU:0", "CPU:1"], cross_device_ops=tf.distribute.ReductionToOneDevice()) if sys.argv[1] == "mirrored" else None
strategy = mirrored or tf.distribute.get_strategy()

class Count(keras.callbacks.Callback):
    total = 0
    def on_train_batch_end(self, batch, logs=None):
        self.total += batch + 1
    def get_state(self):
        return {"total": self.total}
    def set_state(self, state):
        self.total = state["total"]

class Keep(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch
    def on_train_batch_end(self, batch, logs=None):
        progress = Progress(self.epoch, batch + 1, callbacks={"Count": count.get_state()})
        write_state(folder / f"{self.epoch}-{batch + 1}.npz", self.model, progress)

def build(seed):
    keras.utils.set_random_seed(seed)
    with strategy.scope():
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dropout(0.5),
                                  keras.layers.GaussianNoise(0.1), keras.layers.Dense(1)])
        schedule = keras.optimizers.schedules.CosineDecay(0.01, 6)
        model.compile(keras.optimizers.Adam(schedule), "mse", metrics=["mae"], jit_compile=False)
        model.optimizer.build(model.trainable_variables)
    return model

random = np.random.default_rng(0)
x, y = random.normal(size=(24, 6)).astype("float32"), random.normal(size=(24, 1)).astype("float32")

def batches(start):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(4).repeat().skip(start).with_options(options)

def fit(model, progress, restore=None):
    callbacks = [count] if restore else [count, Keep()]
    callbacks = ResumedCallbacks(callbacks, model, progress, restore, epochs=2, steps=steps)
    data = batches(progress.epoch * steps + progress.step)
    if restore and not mirrored:
        model.evaluate(batches(0), steps=1, verbose=0)
    return model.fit(data, epochs=2, initial_epoch=progress.epoch, steps_per_epoch=steps, shuffle=False,
                     callbacks=callbacks, verbose=0, validation_data=batches(0), validation_steps=2).history

count = Count()
whole = build(0)
expected, total = fit(whole, Progress()), count.total
for number, name in enumerate(sys.argv[3:]):
    path = folder / f"{name}.npz"
    model, count, progress = build(1 + number), Count(), read_progress(path)
    arrays = restore_state(path, model)
    got = fit(model, progress, lambda: restore_volatile(path, model, arrays, with_metrics=True))
    # Two replicas go on with half of a sum each, which rounds otherwise than what they had.
    tolerance = 1e-6 if mirrored else 0
    for key in expected:
        np.testing.assert_allclose(got[key], expected[key][progress.epoch:], rtol=tolerance)
    for one, other in zip(whole.variables, model.variables, strict=True):
        np.testing.assert_array_equal(one.numpy(), other.numpy())
    assert count.total == total
    print(name, len(arrays["random"]))
"""


@pytest.mark.parametrize("devices", ["one", "mirrored"])
def test_random_layers_metric_sums_and_callbacks_go_on(tmp_path, devices):
    names = ["0-2", "1-3"]
    command = [sys.executable, "-c", RANDOM, devices, tmp_path, *names]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert result.stdout.split("\n")[:2] == [f"{name} 2" for name in names]  # the seeds of two layers
