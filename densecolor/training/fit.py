"""One training function for every model and number of devices: `keras.Model.fit` with callbacks."""

import contextlib
import dataclasses
import functools
import re

import keras
import tensorflow as tf

from densecolor import models
from densecolor.checkpoint import check_savable
from densecolor.checkpoint import save_model
from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.dataset.batches import model_values
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.errors import TrainingError
from densecolor.losses import default_losses
from densecolor.shards import read_manifest
from densecolor.training.callbacks import KeepState
from densecolor.training.callbacks import ReportProgress
from densecolor.training.callbacks import SampleGrid
from densecolor.training.callbacks import StopOnNaN
from densecolor.training.cluster import Cluster
from densecolor.training.multiworker import repair
from densecolor.training.run_directory import RunDirectory
from densecolor.training.strategy import distribute
from densecolor.training.strategy import is_multiworker
from densecolor.training.strategy import open_strategy
from densecolor.training.strategy import share_of


def train(config, run, resume=False, progress=None, report=print, cluster=None, worker_timeout=120):
    """Train a colorizer and keep everything in a run directory.

    Args:
        config: `TrainConfig`.
        run: the run directory (see `densecolor.training.run_directory`).
        resume: go on after the last whole epoch of the run that is there; the result is that of an
            uninterrupted run. Starts a new run where there is none.
        progress: function (done, total) called after each step, in steps of the whole run.
        report: function of one line of text; told the plan and the figures of each epoch.
        cluster: `Cluster` of several workers that call `train` alike, each with its own index; they share a file
            system for `run`, and worker 0 alone writes there. None: what TF_CONFIG or SLURM say, if anything.
        worker_timeout: seconds to wait at the start until all workers are there.

    Returns:
        The trained `keras.Model`, as in `final.keras`.

    Raises:
        FileNotFoundError, ShardError: the data is not there or damaged.
        TrainingError: the options do not fit each other, the directory or the data, the loss diverged, or a worker
            did not answer. A worker that is lost during training ends the process; see docs/distributed.md.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold, so it could not be loaded again.

    Example:
        >>> config = TrainConfig(data="packed", model="dense_small", epochs=3, image_size=64)
        >>> model = train(config, "runs/first")
    """
    splits = read_manifest(config.data).splits
    if cluster is None and config.strategy in ("auto", "multiworker"):
        cluster = Cluster.from_environment()
    with open_strategy(config.strategy, config.batch_size, cluster, worker_timeout, report) as strategy:
        return _train(config, run, resume, progress, report, strategy, cluster, splits)


def _train(config, run, resume, progress, report, strategy, cluster, splits):
    is_chief = cluster is None or cluster.is_chief
    share = share_of(cluster, config.batch_size, config.data_sharding)
    reader_options = {"image_size": config.image_size, "seed": config.seed, **share}
    reader = BatchReader(config.data, "train", **reader_options)
    packed, steps = reader.packed, config.steps_per_epoch or reader.steps
    directory = RunDirectory(run)
    history = directory.history_so_far(config, resume)

    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = _build(config, packed, strategy)
        _compile(model, _with_scaled_learning_rate(config, strategy), steps)
        model.optimizer.build(model.trainable_variables)
        targets = tuple(model.output_names)
        if is_multiworker(strategy):
            first = BatchReader(config.data, "train", targets=targets, **reader_options).read(0, 0)
            repair(model, model_values(first, targets))
    if is_chief:
        directory.create(config)
    if history:
        directory.restore(model)
    report(
        f"{config.model}: {model.count_params():,} parameters; {packed.count:,} pictures, {steps:,} steps an epoch, "
        f"{config.epochs - len(history)} epochs to go on {strategy.num_replicas_in_sync} device(s)"
        f"{f', worker {cluster.index} of {len(cluster.workers)}' if is_multiworker(strategy) else ''}"
    )
    validation = validation_steps = None
    if "validation" in splits:
        options = {"targets": targets, **reader_options, **_validation_share(config, reader_options, report)}
        validation_steps = BatchReader(config.data, "validation", **options).steps
        # Where data may end, the workers ask each other before every step whether all have one.
        endless = is_multiworker(strategy)
        validation = distribute(strategy, functools.partial(load, config.data, "validation", repeat=endless, **options))
    else:
        report(f"{config.data} has no validation split: the best epoch is chosen by the training error.")
    with _reader_errors_in_one_line():
        model.fit(
            distribute(
                strategy,
                functools.partial(
                    load,
                    config.data,
                    "train",
                    augment=config.augment,
                    targets=targets,
                    repeat=True,
                    start_step=len(history) * steps,
                    **reader_options,
                ),
            ),
            validation_data=validation,
            validation_steps=validation_steps,
            epochs=config.epochs,
            initial_epoch=len(history),
            steps_per_epoch=steps,
            shuffle=False,  # the data set has its own order
            callbacks=_callbacks(config, directory, history, splits, steps, progress, report, is_chief),
            verbose=0,
        )
    if is_chief:
        save_model(model, directory.final)
    return model


def _with_scaled_learning_rate(config, strategy):
    factor = strategy.num_replicas_in_sync if config.scale_learning_rate else 1
    return dataclasses.replace(config, learning_rate=config.learning_rate * factor)


def _validation_share(config, reader_options, report):
    """A validation split is often a single shard; then its pictures are shared one by one."""
    workers = reader_options.get("worker_count", 1)
    shards = [shard for shard in read_manifest(config.data).shards if shard.split == "validation" and shard.count]
    if workers == 1 or config.data_sharding == "element" or len(shards) >= workers:
        return {}
    report(f"The validation split has {len(shards)} shard(s) for {workers} workers: shared by element.")
    return {"sharding": "element"}


@contextlib.contextmanager
def _reader_errors_in_one_line():
    """TensorFlow reports what the reader raises as an error of its own, with our message inside a traceback."""
    try:
        yield
    except tf.errors.OpError as error:
        damage = re.search(r"ShardError: (.+)", error.message)
        if damage is None:
            raise
        raise ShardError(damage[1]) from None


def _build(config, packed, strategy):
    known = models.model_options(config.model)
    options = {"working_size": config.image_size or packed.image_size, "dtype": config.precision}
    if "num_classes" in known:
        options["num_classes"] = len(packed.class_names)
    if "joint" in known and not packed.class_names:
        # Without classes nothing but the colours can teach the class branch.
        options["joint"] = True
    if config.sync_batchnorm is not None:
        options["sync_batchnorm"] = config.sync_batchnorm
    elif "sync_batchnorm" in known:
        options["sync_batchnorm"] = strategy.num_replicas_in_sync > 1
    options |= config.model_options
    try:
        model = models.create(config.model, **options)
    except DensecolorError:
        raise
    except (TypeError, ValueError) as error:
        shown = ", ".join(f"{name}={value!r}" for name, value in config.model_options.items())
        raise TrainingError(f"Model {config.model!r} cannot be built with {shown}: {error}") from None
    if 0 < getattr(model, "num_classes", 0) < len(packed.class_names):
        raise TrainingError(
            f"The model has {model.num_classes} classes, {config.data} has {len(packed.class_names)}. Leave out "
            "num_classes, or set it to 0 for a model without classes."
        )
    check_savable(model)
    return model


def _compile(model, config, steps_per_epoch):
    # Keras puts the output's name before a metric's only where there are several outputs.
    prefix = "" if len(model.output_names) > 1 else "ab_"
    metrics = {
        "ab": [keras.metrics.MeanSquaredError(name=f"{prefix}mse")],
        "label": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }
    weights = {"ab": 1.0, "label": config.label_weight}
    model.compile(
        optimizer=keras.optimizers.Adam(_learning_rate(config, config.epochs * steps_per_epoch)),
        loss=default_losses(model.output_names),
        loss_weights={name: weights[name] for name in model.output_names},
        weighted_metrics={name: metrics[name] for name in model.output_names},
    )


def _learning_rate(config, steps):
    if config.warmup_steps >= steps:
        raise TrainingError(f"`warmup_steps`={config.warmup_steps} leaves none of the run's {steps} steps.")
    if config.schedule == "constant" and not config.warmup_steps:
        return config.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if config.warmup_steps else config.learning_rate,
        decay_steps=steps - config.warmup_steps,
        alpha=0.0 if config.schedule == "cosine" else 1.0,
        warmup_target=config.learning_rate if config.warmup_steps else None,
        warmup_steps=config.warmup_steps,
    )


def _callbacks(config, directory, history, splits, steps, progress, report, is_chief):
    callbacks = [StopOnNaN()]
    if is_chief:
        callbacks += _writing_callbacks(config, directory, history, splits, report)
    if progress:
        callbacks.append(ReportProgress(progress, steps, config.epochs, len(history)))
    return callbacks


def _writing_callbacks(config, directory, history, splits, report):
    shown = BatchReader(
        config.data,
        "validation" if "validation" in splits else "train",
        batch_size=config.samples,
        image_size=config.image_size,
        shuffle=True,
        seed=config.seed,
    )
    inputs, targets, _ = model_values(shown.read(0, 0), shown.targets)
    return [
        KeepState(directory, history, report),
        SampleGrid(directory.samples, inputs["lightness"], targets["ab"]),
        keras.callbacks.TensorBoard(directory.tensorboard, write_graph=False),
    ]
