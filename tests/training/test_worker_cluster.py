"""Descriptions of clusters: given, in TF_CONFIG, and in the variables of a SLURM step."""

import json
import os
import socket
import subprocess
import sys

import pytest

from densecolor.errors import TrainingError
from densecolor.training import Cluster
from densecolor.training.cluster import split_address
from densecolor.training.peers import wait_for_peers
from densecolor.training.strategy import choose_strategy

WORKERS = ["node1:2222", "node2:2222", "node3:2222"]

SLURM = {
    "SLURM_PROCID": "4",
    "SLURM_STEP_NUM_TASKS": "7",
    "SLURM_STEP_NODELIST": "gpu[08-10],login2",
    "SLURM_STEP_TASKS_PER_NODE": "2(x3),1",
}
# Ours, and TensorFlow's own reading of the same variables, each in the process that has them.
RESOLVE = """
import json
import tensorflow as tf
from densecolor.training.cluster import Cluster
ours = Cluster.from_environment()
resolver = tf.distribute.cluster_resolver.SlurmClusterResolver(gpus_per_node=2, gpus_per_task=1, auto_set_gpu=False)
theirs = resolver.cluster_spec().as_dict()["worker"]
print(json.dumps([ours.workers, ours.index, theirs, resolver.task_id]))
"""


def config(cluster, kind="worker", index=0):
    return {"TF_CONFIG": json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})}


def test_given_workers():
    cluster = Cluster(["localhost:1", "[::1]:2"], 1)
    assert cluster.address == "[::1]:2"
    assert cluster.peers == {0: "localhost:1"}
    assert not cluster.is_chief
    assert split_address("[::1]:2") == ("::1", 2)


@pytest.mark.parametrize(
    ("workers", "index", "message"),
    [
        ([], 0, "list of workers is empty"),
        (["a:1", "b"], 0, r"must be host:port, such as node1:2222. Received: 'b'"),
        (["a:1", "b:0"], 0, "Received: 'b:0'"),
        (["a:1", "b:65536"], 0, "Received: 'b:65536'"),
        (["a:1", "grpc://b:2"], 0, "host:port"),
        (["a:1", "b:2", "a:1"], 0, "a:1 is listed 2 times"),
        (["a:1", "b:2"], 2, r"from 0 to 1, for 2 worker\(s\)\. Received: 2"),
        (["a:1", "b:2"], -1, "Received: -1"),
    ],
)
def test_bad_workers(workers, index, message):
    with pytest.raises(TrainingError, match=message):
        Cluster(workers, index)


def test_tf_config():
    assert Cluster.from_environment(config({"worker": WORKERS}, index=2)) == Cluster(WORKERS, 2)
    chief = {"chief": WORKERS[:1], "worker": WORKERS[1:]}
    assert Cluster.from_environment(config(chief, "chief")) == Cluster(WORKERS, 0)
    assert Cluster.from_environment(config(chief, index=1)) == Cluster(WORKERS, 2)
    assert Cluster.from_environment({}) is None
    assert Cluster.from_environment({"TF_CONFIG": "{}"}) is None


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"TF_CONFIG": "{cluster"}, "TF_CONFIG is not JSON"),
        ({"TF_CONFIG": "[1]"}, "TF_CONFIG must be like"),
        ({"TF_CONFIG": '{"cluster": {"worker": ["a:1", "b:2"]}}'}, "TF_CONFIG must be like"),
        (config({"worker": WORKERS}, index="first"), "TF_CONFIG must be like"),
        (config({"worker": WORKERS}, index=3), r"from 0 to 2, for 3 worker\(s\)"),
        (config({"worker": WORKERS, "ps": ["d:1"]}), "Received: jobs ps, worker, task 'worker'"),
        (config({"worker": WORKERS}, "chief"), "task 'chief'"),
        (config({"worker": ["a:1", "b"]}), "host:port"),
        ({"SLURM_STEP_NUM_TASKS": "2"}, "SLURM step are not complete"),
        (SLURM | {"SLURM_STEP_TASKS_PER_NODE": "2(x3)"}, "SLURM says 7 tasks, and 6 on the nodes"),
        (SLURM | {"SLURM_STEP_NODELIST": "gpu[a-b]"}, "SLURM step are not complete"),
    ],
)
def test_bad_environments(environment, message):
    with pytest.raises(TrainingError, match=message):
        Cluster.from_environment(environment)


def test_slurm_step_as_tensorflow_reads_it():
    result = subprocess.run(
        [sys.executable, "-c", RESOLVE], capture_output=True, text=True, check=False, env=os.environ | SLURM
    )
    assert result.returncode == 0, result.stderr
    workers, index, theirs, their_index = json.loads(result.stdout)
    assert workers == theirs
    assert index == their_index == 4
    assert workers[index] == "gpu10:8888"


def test_slurm_ranks_follow_the_nodes_not_the_alphabet():
    step = SLURM | {"SLURM_STEP_NODELIST": "node[9-10]", "SLURM_STEP_TASKS_PER_NODE": "1(x2)"}
    cluster = Cluster.from_environment(step | {"SLURM_STEP_NUM_TASKS": "2", "SLURM_PROCID": "0"})
    assert cluster.workers == ("node9:8888", "node10:8888")
    assert Cluster.from_environment(SLURM | {"SLURM_STEP_NUM_TASKS": "1"}) is None
    given = config({"worker": WORKERS})
    assert Cluster.from_environment(SLURM | given).workers == tuple(WORKERS)


def test_choice_of_strategy():
    several, single = Cluster(WORKERS, 0), Cluster(WORKERS[:1], 0)
    assert choose_strategy("auto", several) == choose_strategy("multiworker", several) == "multiworker"
    assert choose_strategy("auto", None) == choose_strategy("multiworker", single) == "one"
    assert choose_strategy("mirrored", None) == "mirrored"
    with pytest.raises(TrainingError, match="needs to know the workers: give --workers"):
        choose_strategy("multiworker", None)
    with pytest.raises(TrainingError, match="3 workers are given, and the strategy one uses this machine alone"):
        choose_strategy("one", several)


def test_port_in_use():
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        address = f"localhost:{other.getsockname()[1]}"
        with pytest.raises(TrainingError, match=rf"of this worker \({address}\) cannot be used: .*in use"):
            wait_for_peers(Cluster([address, "localhost:1"], 0), timeout=0)
