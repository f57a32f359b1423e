"""One training function for every model and number of devices: `keras.Model.fit` with callbacks."""

import contextlib
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
from densecolor.inspection import compute_ab_prior
from densecolor.inspection import read_ab_prior
from densecolor.losses import default_losses
from densecolor.shards import read_manifest
from densecolor.training.callbacks import KeepState
from densecolor.training.callbacks import ReportProgress
from densecolor.training.callbacks import SampleGrid
from densecolor.training.callbacks import StopOnNaN
from densecolor.training.run_directory import RunDirectory
from densecolor.training.strategy import make_strategy


def train(config, run, resume=False, progress=None, report=print):
    """Train a colorizer and keep everything in a run directory.

    Args:
        config: `TrainConfig`.
        run: the run directory (see `densecolor.training.run_directory`).
        resume: go on after the last whole epoch of the run that is there; the result is that of an
            uninterrupted run. Starts a new run where there is none.
        progress: function (done, total) called after each step, in steps of the whole run.
        report: function of one line of text; told the plan and the figures of each epoch.

    Returns:
        The trained `keras.Model`, as in `final.keras`.

    Raises:
        FileNotFoundError, ShardError: the data is not there or damaged.
        TrainingError: the options do not fit each other, the directory or the data, or the loss diverged.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold, so it could not be loaded again.

    Example:
        >>> config = TrainConfig(data="packed", model="dense_small", epochs=3, image_size=64)
        >>> model = train(config, "runs/first")
    """
    splits = read_manifest(config.data).splits
    strategy = make_strategy(config.strategy, config.batch_size)
    reader_options = {"batch_size": config.batch_size, "image_size": config.image_size, "seed": config.seed}
    reader = BatchReader(config.data, "train", **reader_options)
    packed, steps = reader.packed, config.steps_per_epoch or reader.steps
    directory = RunDirectory(run)
    history = directory.history_so_far(config, resume)

    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = _build(config, packed, strategy)
        _compile(model, config, steps)
        model.optimizer.build(model.trainable_variables)
    directory.create(config)
    if history:
        directory.restore(model)
    targets = tuple(model.output_names)
    report(
        f"{config.model}: {model.count_params():,} parameters; {packed.count:,} pictures, {steps:,} steps an epoch, "
        f"{config.epochs - len(history)} epochs to go on {strategy.num_replicas_in_sync} device(s)"
    )
    validation = None
    if "validation" in splits:
        validation = load(config.data, "validation", targets=targets, **reader_options)
    else:
        report(f"{config.data} has no validation split: the best epoch is chosen by the training error.")
    with _reader_errors_in_one_line():
        model.fit(
            load(
                config.data,
                "train",
                augment=config.augment,
                targets=targets,
                repeat=True,
                start_step=len(history) * steps,
                **reader_options,
            ),
            validation_data=validation,
            epochs=config.epochs,
            initial_epoch=len(history),
            steps_per_epoch=steps,
            shuffle=False,  # the data set has its own order
            callbacks=_callbacks(config, directory, history, splits, steps, progress, report),
            verbose=0,
        )
    save_model(model, directory.final)
    return model


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
    if "sync_batchnorm" in known:
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
    metrics = {name: [] for name in model.output_names} | {
        "ab": [keras.metrics.MeanSquaredError(name=f"{prefix}mse")],
        "label": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }
    weights = dict.fromkeys(model.output_names, 1.0) | {"label": config.label_weight}
    model.compile(
        optimizer=keras.optimizers.Adam(_learning_rate(config, config.epochs * steps_per_epoch)),
        loss=default_losses(model.output_names, ab_prior=_ab_prior(model, config)),
        loss_weights={name: weights[name] for name in model.output_names},
        weighted_metrics={name: metrics[name] for name in model.output_names},
    )


def _ab_prior(model, config):
    """How often each colour bin is in the training pictures: as stored beside them, else counted now."""
    if "ab_distribution" not in model.output_names:
        return None
    stored = read_ab_prior(config.data)
    return compute_ab_prior(config.data) if stored is None else stored


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


def _callbacks(config, directory, history, splits, steps, progress, report):
    shown = BatchReader(
        config.data,
        "validation" if "validation" in splits else "train",
        batch_size=config.samples,
        image_size=config.image_size,
        shuffle=True,
        seed=config.seed,
    )
    inputs, targets, _ = model_values(shown.read(0, 0), shown.targets)
    callbacks = [
        StopOnNaN(),
        KeepState(directory, history, report),
        SampleGrid(directory.samples, inputs["lightness"], targets["ab"]),
        keras.callbacks.TensorBoard(directory.tensorboard, write_graph=False),
    ]
    if progress:
        callbacks.append(ReportProgress(progress, steps, config.epochs, len(history)))
    return callbacks
