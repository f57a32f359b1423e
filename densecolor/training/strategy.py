"""The tf.distribute strategy of a run, and how a data set is given to it."""

import contextlib

import tensorflow as tf

from densecolor.errors import TrainingError
from densecolor.training.peers import PeerWatch
from densecolor.training.peers import wait_for_peers


def choose_strategy(name, cluster):
    """What "auto" stands for on this machine.

    Args:
        name: "auto", "one", "mirrored" or "multiworker".
        cluster: `Cluster`, or None.

    Returns:
        "multiworker" where there are several workers, else "mirrored" where there are several GPUs, else "one".

    Raises:
        TrainingError: several workers are asked for and not described, or described and not asked for.
    """
    several = cluster is not None and len(cluster.workers) > 1
    if name == "multiworker" and cluster is None:
        raise TrainingError(
            "The strategy multiworker needs to know the workers: give --workers host:port,host:port and "
            "--worker-index N, set TF_CONFIG, or start the tasks with srun."
        )
    if several and name in ("one", "mirrored"):
        raise TrainingError(
            f"{len(cluster.workers)} workers are given, and the strategy {name} uses this machine alone. Use the "
            "strategy auto or multiworker, or leave out the workers."
        )
    if name in ("auto", "multiworker"):
        gpus = tf.config.list_physical_devices("GPU")  # not the logical ones: a cluster must be joined before
        return "multiworker" if several else "mirrored" if len(gpus) > 1 else "one"
    return name


@contextlib.contextmanager
def open_strategy(name, batch_size, cluster=None, worker_timeout=120, report=print):
    """The devices to train on, for as long as the training takes.

    Args:
        name: "one" (a single device), "mirrored" (all GPUs of this machine; without GPUs, all its logical CPU
            devices), "multiworker" (all devices of all workers of the cluster) or "auto" (see `choose_strategy`).
        batch_size: pictures a step over all replicas.
        cluster: `Cluster`, for several workers.
        worker_timeout: seconds to wait for the other workers at the start.
        report: function of one line of text.

    Yields:
        tf.distribute.Strategy. With several workers, the process ends with exit status 1 and one line on stderr if
        another worker is lost meanwhile.

    Raises:
        TrainingError: the batch does not divide evenly over the replicas, or a worker does not answer.
    """
    name = choose_strategy(name, cluster)
    if name == "one":
        yield tf.distribute.get_strategy()
    elif name == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        _require_even(batch_size, len(devices), f"{len(devices)} devices")
        yield tf.distribute.MirroredStrategy([device.name for device in devices])
    else:
        local = max(1, len(tf.config.list_physical_devices("GPU")))
        workers = len(cluster.workers)
        _require_even(batch_size, workers * local, f"{workers} workers with {local} device(s) each")
        wait_for_peers(cluster, worker_timeout, report)
        with PeerWatch(cluster) as watch, _losses_named(watch):
            strategy = _multiworker(cluster)
            _meet(strategy)
            watch.started()
            yield strategy
            _meet(strategy)


def share_of(cluster, batch_size, sharding):
    """What this process reads of a split, as options of `BatchReader` and `load`.

    Args:
        cluster: `Cluster`, or None.
        batch_size: over all replicas.
        sharding: "element" or "file".

    Returns:
        dict.
    """
    if cluster is None:
        return {"batch_size": batch_size}
    count = len(cluster.workers)
    return {
        "batch_size": batch_size // count,
        "worker_index": cluster.index,
        "worker_count": count,
        "sharding": sharding,
    }


def distribute(strategy, load):
    """A data set as `fit` takes it under a strategy.

    Args:
        strategy: of `open_strategy`.
        load: function that makes this process's `tf.data.Dataset`; takes `replicas` as `densecolor.dataset.load` does.

    Returns:
        tf.data.Dataset; with several workers a distributed one.
    """
    if not is_multiworker(strategy):
        return load()
    return strategy.distribute_datasets_from_function(
        lambda context: load(replicas=context.num_replicas_in_sync // context.num_input_pipelines)
    )


def is_multiworker(strategy):
    """Whether a strategy spans several processes."""
    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


def _require_even(batch_size, replicas, described):
    if batch_size % replicas:
        lower = batch_size - batch_size % replicas
        raise TrainingError(
            f"A batch of {batch_size} does not divide over {described}. Use {lower or replicas} or {lower + replicas}."
        )


def _multiworker(cluster):
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
        tf.train.ClusterSpec({"worker": list(cluster.workers)}),
        task_type="worker",
        task_id=cluster.index,
        num_accelerators={"GPU": len(tf.config.list_physical_devices("GPU"))},
        rpc_layer="grpc",
    )
    communication = tf.distribute.experimental.CommunicationImplementation
    options = tf.distribute.experimental.CommunicationOptions(
        implementation=communication.NCCL if tf.config.list_physical_devices("GPU") else communication.RING
    )
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(resolver, options)
    except RuntimeError as error:
        if "program startup" not in str(error):
            raise
        raise TrainingError(
            "TensorFlow has been used in this process already, so it cannot join other workers any more. Train in a "
            "fresh process, or restart the notebook's kernel."
        ) from None


@contextlib.contextmanager
def _losses_named(watch):
    """TensorFlow reports a lost worker as whatever its connection died of."""
    try:
        yield
    except tf.errors.OpError as error:
        lost = watch.error_of_loss(error.message)
        if lost is None:
            raise
        raise lost from error


def _meet(strategy):
    """Wait for all workers: at the start, and at the end, so that none is missed while the chief still writes."""

    @tf.function
    def count():
        return strategy.reduce("SUM", strategy.run(lambda: tf.ones(())), axis=None)

    count()
