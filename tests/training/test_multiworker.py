"""Several worker processes must train what one process trains, and never hang."""

import csv
import os
import re
import signal
import socket
import time

import numpy as np
import pytest
from conftest import write_packed
from workers import COMMAND
from workers import finish
from workers import free_addresses
from workers import start
from workers import tf_config

from densecolor.checkpoint import load_model
from densecolor.training.cluster import split_address

# What is compared is computed in float64, for the reason that test_mirrored.py gives: on small pictures a difference of
# 1e-7 in the input of a normalisation makes one of 1e-3 in the weights.
TRAIN = """
import functools, sys
import keras, numpy as np, tensorflow as tf
from densecolor import models
from densecolor.dataset import BatchReader, load
from densecolor.dataset.batches import model_values
from densecolor.losses import default_losses
from densecolor.training.cluster import Cluster
from densecolor.training.multiworker import repair
from densecolor.training.strategy import distribute, share_of
data, output, preset, branch, optimizer, num_classes = sys.argv[1:]
cluster, strategy = Cluster.from_environment(), tf.distribute.get_strategy()
if cluster:
    # One tensor a pack: TensorFlow packs gradients of one type only, and the heads are float32.
    options = tf.distribute.experimental.CommunicationOptions(bytes_per_pack=1)
    strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
keras.utils.set_random_seed(0)
targets = ("ab", "label") if int(num_classes) else ("ab",)
options = share_of(cluster, 8, "element") | {"targets": targets, "image_size": 24}
with strategy.scope():
    model = models.create(preset, branch=branch, num_classes=int(num_classes), dtype="float64", sync_batchnorm=True)
    model.compile({"sgd": keras.optimizers.SGD(1e-3), "adam": keras.optimizers.Adam(1e-3)}[optimizer],
                  loss=default_losses(model.output_names), jit_compile=False,
                  weighted_metrics={"ab": [keras.metrics.MeanSquaredError(name="mse")]})
    model.optimizer.build(model.trainable_variables)
    if cluster:
        repair(model, model_values(BatchReader(data, **options).read(0, 0), targets))
history = model.fit(
    distribute(strategy, functools.partial(load, data, augment=True, repeat=True, **options)),
    validation_data=distribute(strategy, functools.partial(load, data, "validation", **options)),
    steps_per_epoch=3, epochs=2, verbose=0, shuffle=False,
).history
np.savez(output, *model.get_weights(), **history)
"""
OPTIONS = ["--model", "unet", "-o", "filters=[4,8]", "--batch-size", 8, "--image-size", 16, "--samples", 2]


@pytest.mark.parametrize(
    ("folder", "num_classes", "preset", "branch", "optimizer", "tolerance"),
    [
        ("packed", 3, "dense_tiny", "vgg16", "sgd", 1e-6),
        pytest.param("unlabelled", 0, "dense_tiny", "vgg16", "sgd", 1e-6, marks=pytest.mark.slow),
        pytest.param("packed", 3, "dense_tiny", "vgg16", "adam", 1e-5, marks=pytest.mark.slow),
        pytest.param("packed", 3, "dense_small", "mobilenet_v3_small", "sgd", 1e-5, marks=pytest.mark.slow),
        pytest.param("packed", 3, "dense_small", "mobilenet_v3_small", "adam", 1e-3, marks=pytest.mark.slow),
    ],
)
def test_two_workers_equal_one(request, tmp_path, folder, num_classes, preset, branch, optimizer, tolerance):
    """A real preset, synchronised BatchNormalization, augmentation, a ragged last batch, validation, two epochs."""
    data = request.getfixturevalue(folder)
    addresses = free_addresses(2)
    files = [tmp_path / f"{name}.npz" for name in ("one", "worker0", "worker1")]
    options = (preset, branch, optimizer, num_classes)
    processes = [start(TRAIN, data, files[0], *options)]
    processes += [start(TRAIN, data, files[1 + i], *options, tf_config=tf_config(addresses, i)) for i in (0, 1)]
    for status, _, errors in finish(*processes):
        assert status == 0, errors
    expected, *results = map(np.load, files)
    assert len(expected) > 90
    differences = {name: max(np.abs(expected[name] - r[name]).max() for r in results) for name in expected.files}
    print(max(differences.values()))
    assert max(differences.values()) < tolerance, differences


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def test_a_lost_worker_ends_the_others_and_all_resume(packed, tmp_path):
    """Through the command line; stopped inside an epoch and resumed, two workers end where one process ends."""
    addresses, run = free_addresses(2), tmp_path / "run"
    epochs = ["--epochs", 2, "--steps-per-epoch", 60, "--save-every", 7]
    both = ["--strategy", "multiworker", "--workers", ",".join(addresses)]
    workers = [start(COMMAND, packed, run, *OPTIONS, *epochs, *both, "--worker-index", i) for i in (0, 1)]
    while not (run / "last/state.npz").exists():
        assert workers[0].poll() is None, workers[0].communicate()
        time.sleep(0.01)
    os.kill(workers[1].pid, signal.SIGKILL)
    (status, _, errors), _ = finish(*workers)
    assert status == 1, errors
    error = [line for line in errors.splitlines() if "epoch" not in line and "Waiting" not in line]
    assert len(error) == 1, errors
    assert error[0].startswith(f"error: Lost worker 1 ({addresses[1]})")
    assert "--resume" in error[0]
    assert not (run / "final.keras").exists()

    alone = start(COMMAND, packed, tmp_path / "alone", *OPTIONS, *epochs)
    resumed = [start(COMMAND, packed, run, "--resume", tf_config=tf_config(addresses, i)) for i in (0, 1)]
    results = finish(alone, *resumed)
    for status, _, errors in results:
        assert status == 0, errors
        assert "Traceback" not in errors
    assert all(re.search(r"epochs to go, the first after \d+ of its steps", errors) for _, _, errors in results[1:])
    assert len(list((run / "tensorboard/train").iterdir())) == 2  # of the chief alone: before and after the stop
    assert {path.name for path in run.iterdir()} == {path.name for path in (tmp_path / "alone").iterdir()}
    for row, other in zip(history(run), history(tmp_path / "alone"), strict=True):
        assert row == pytest.approx(other, rel=1e-3)
    models = [load_model(path / "final.keras") for path in (run, tmp_path / "alone")]
    for one, other in zip(*(model.get_weights() for model in models), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)  # Adam in float32


@pytest.mark.slow
@pytest.mark.parametrize("lost", [0, 1])
def test_a_frozen_worker_ends_the_others(packed, tmp_path, lost):
    addresses, run = free_addresses(2), tmp_path / "run"
    both = ["--epochs", 5000, "--workers", ",".join(addresses)]
    workers = [start(COMMAND, packed, run, *OPTIONS, *both, "--worker-index", i) for i in (0, 1)]
    while not (run / "history.csv").exists():
        assert workers[0].poll() is None, workers[0].communicate()
        time.sleep(0.05)
    os.kill(workers[lost].pid, signal.SIGSTOP)
    (status, _, errors) = finish(workers[1 - lost])[0]
    workers[lost].kill()
    finish(workers[lost])
    assert status == 1
    assert f"error: Lost worker {lost} ({addresses[lost]})" in errors
    assert "Traceback" not in errors


WATCH = """
import sys, time
from densecolor.training.cluster import Cluster
from densecolor.training.peers import PeerWatch
with PeerWatch(Cluster(sys.argv[1:], 0)) as watch:
    watch.started()
    print("watching", flush=True)
    time.sleep(1000)  # as if inside TensorFlow
"""


@pytest.mark.slow
def test_a_silent_worker_ends_a_process_that_cannot_be_reached():
    addresses = free_addresses(2)
    with socket.create_server(split_address(addresses[1])):
        process = start(WATCH, *addresses)
        assert process.stdout.readline() == "watching\n"
        time.sleep(3)
        assert process.poll() is None
    ((status, _, errors),) = finish(process)
    assert status == 1
    assert errors.splitlines()[-1].startswith(f"error: Lost worker 1 ({addresses[1]})")


def test_worker_that_never_comes(packed, tmp_path):
    addresses = free_addresses(3)
    arguments = ["--workers", ",".join(addresses), "--worker-index", 1, "--worker-timeout", 0.5, "--batch-size", 9]
    ((status, _, errors),) = finish(start(COMMAND, packed, tmp_path / "run", *arguments))
    assert status == 1
    named = f"worker 0 ({addresses[0]}) and worker 2 ({addresses[2]})"
    lines = errors.splitlines()
    assert lines[0] == f"Waiting up to 0.5 seconds for {named}."
    assert lines[1].startswith(f"error: {named} did not answer within 0.5 seconds.")
    assert len(lines) == 2
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["--workers", "a:1,b:2"], None, "--workers and --worker-index belong together"),
        ([], "{cluster}", "TF_CONFIG is not JSON"),
    ],
)
def test_bad_clusters_are_one_line(packed, tmp_path, arguments, environment, message):
    process = start(COMMAND, packed, tmp_path / "run", "--model", "unet", *arguments, tf_config=environment)
    ((status, _, errors),) = finish(process)
    assert status == 1
    assert message in errors
    assert len(errors.splitlines()) == 1
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
def test_workers_share_by_file(packed, tmp_path):
    """Three shards for two workers; the validation's two too."""
    addresses, run = free_addresses(2), tmp_path / "run"
    both = ["--epochs", 2, "--data-sharding", "file", "--workers", ",".join(addresses)]
    workers = [start(COMMAND, packed, run, *OPTIONS, *both, "--worker-index", i) for i in (0, 1)]
    for status, _, errors in finish(*workers):
        assert status == 0, errors
        assert "4 steps an epoch" in errors  # 13 and 8 pictures, 4 a step
    assert len(history(run)) == 2


@pytest.mark.slow
def test_too_few_shards_for_the_workers(tmp_path, crops):
    folder = write_packed(tmp_path / "single", {"train": (crops[:8], np.full(8, -1))})
    addresses, run = free_addresses(2), tmp_path / "run"
    both = ["--data-sharding", "file", "--workers", ",".join(addresses)]
    workers = [start(COMMAND, folder, run, *OPTIONS, *both, "--worker-index", i) for i in (0, 1)]
    for status, _, errors in finish(*workers):
        assert status == 1
        assert "has 1 shard(s) of split 'train', too few for 2 workers" in errors
        assert "Traceback" not in errors
    assert not run.exists()
