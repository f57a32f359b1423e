"""One training function for every model and number of devices: `keras.Model.fit` with callbacks."""

import contextlib
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
from densecolor.metrics.keras_info_loss import InfoLoss
from densecolor.shards import read_manifest
from densecolor.training.averages import ValidateAverages
from densecolor.training.callbacks import ReportProgress
from densecolor.training.callbacks import SampleGrid
from densecolor.training.callbacks import StopOnNaN
from densecolor.training.class_weights import balanced_class_weights
from densecolor.training.early_stopping import EarlyStopping
from densecolor.training.interruption import Interruption
from densecolor.training.keep_state import KeepState
from densecolor.training.name_info_loss import NameInfoLoss
from densecolor.training.optimizer import make_optimizer
from densecolor.training.report_epochs import ReportEpochs
from densecolor.training.resumption import ResumedCallbacks
from densecolor.training.run_directory import RunDirectory
from densecolor.training.strategy import make_strategy
from densecolor.training.tensorboard_images import TensorBoardImages
from densecolor.training.threads import set_threads


def train(config, run, resume=False, progress=None, report=print, note=None):
    """Train a colorizer and keep everything in a run directory.

    Args:
        config: `TrainConfig`.
        run: the run directory (see `densecolor.training.run_directory`).
        resume: go on from the last state of the run that is there; the result is that of an uninterrupted run,
            to the bit with `deterministic`. Starts a new run where there is none.
        progress: function (done, total) called after each step, in steps of the whole run.
        report: function of one line of text; told the plan and the figures of each epoch.
        note: function of a short text, called after each step, before `progress`; told the running loss.

    Returns:
        The trained `keras.Model`, as in `final.keras`: where a moving average is kept, with the averaged weights.

    Raises:
        FileNotFoundError, ShardError: the data is not there or damaged.
        TrainingError: the options do not fit each other, the directory or the data, another process is training into
            the directory, or the loss diverged.
        KeyboardInterrupt, SystemExit: on Ctrl-C or SIGTERM, after the step in work is done and the state is saved.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold, so it could not be loaded again.

    Example:
        >>> config = TrainConfig(data="packed", model="dense_small", epochs=3, image_size=64)
        >>> model = train(config, "runs/first")
    """
    fix_arithmetic(config)
    splits = read_manifest(config.data).splits
    strategy = make_strategy(config.strategy, config.batch_size)
    on_damage = functools.cache(report) if config.skip_damaged else None  # several readers, one line for each damage
    reader_options = {
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "seed": config.seed,
        "on_damage": on_damage,
    }
    reader = BatchReader(config.data, "train", **reader_options)
    packed, steps = reader.packed, config.steps_per_epoch or reader.steps
    directory = RunDirectory(run)
    directory.check(config, resume)

    model = build_compiled(config, packed, steps, strategy)
    with directory.locked(config, resume), Interruption() as interruption:
        reached = directory.read_progress()
        restore = directory.restore(model, reached) if reached.pictures else None
        _report_plan(config, model, reader, steps, reached, strategy, report)
        reached.pictures, reached.step = packed.count, min(reached.step, steps)
        targets = tuple(model.output_names)
        validation = None
        if "validation" in splits:
            validation = load(config.data, "validation", targets=targets, **reader_options)
        else:
            report(f"{config.data} has no validation split: the best epoch is chosen by the training error.")
        done = reached.epoch * steps + reached.step
        batches = load(
            config.data,
            "train",
            augment=config.augment,
            targets=targets,
            repeat=True,
            start_step=done,
            **reader_options,
        )
        with reader_errors_in_one_line(), contextlib.ExitStack() as swapped:
            callbacks = [
                NameInfoLoss(),
                ValidateAverages(swapped),
                *_callbacks(config, directory, reached, splits, steps, report, on_damage),
            ]
            if progress or note:
                callbacks.append(ReportProgress(progress, done, config.epochs * steps, note))
            callbacks.append(
                KeepState(directory, reached, steps, config, interruption, callbacks, report),
            )
            if reached.step:
                # Keras makes the variables of metrics when it first uses them.
                model.evaluate(batches, steps=1, verbose=0)
            model.fit(
                batches,
                validation_data=validation,
                epochs=reached.epoch if reached.stopped else config.epochs,
                initial_epoch=reached.epoch,
                steps_per_epoch=steps,
                shuffle=False,  # the data set has its own order
                callbacks=ResumedCallbacks(callbacks, model, reached, restore, epochs=config.epochs, steps=steps),
                verbose=0,
            )
        # `fit` has ended by putting the averaged weights into the model, where there are any.
        _save_final(model, directory)
    return model


def _report_plan(config, model, reader, steps, reached, strategy, report):
    left = 0 if reached.stopped else config.epochs - reached.epoch
    after = f", the first after {reached.step:,} of its steps" if reached.step else ""
    report(
        f"{config.model}: {model.count_params():,} parameters; {reader.packed.count:,} pictures, "
        f"{steps:,} steps an epoch, {left} epochs to go{after} on {strategy.num_replicas_in_sync} device(s)"
    )
    if reached.pictures not in (0, reader.packed.count):
        report(
            f"{config.data} had {reached.pictures:,} pictures to train on when the run was stopped. It goes on with "
            "those that are there now, and is not any more the run that was begun."
        )


def _save_final(model, directory):
    try:
        save_model(model, directory.final)
    except OSError as error:
        raise TrainingError(
            f"Training is done, but {directory.final} cannot be written ({error.strerror or error}). Make room, then "
            "give the same command with --resume."
        ) from None


@contextlib.contextmanager
def reader_errors_in_one_line():
    """TensorFlow reports what the reader raises as an error of its own, with our message inside a traceback."""
    try:
        yield
    except tf.errors.OpError as error:
        damage = re.search(r"ShardError: (.+)", error.message)
        if damage is None:
            raise
        raise ShardError(damage[1]) from None


def fix_arithmetic(config):
    """Make TensorFlow add up in the same order every time, as far as the configuration asks for it.

    Raises:
        TrainingError: this process has used TensorFlow already, with another number of threads.
    """
    if config.threads:
        set_threads(config.threads)
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()


def build_compiled(config, packed, steps_per_epoch, strategy):
    """The model of a run, ready for its first step.

    Args:
        config: `TrainConfig`.
        packed: `densecolor.shards.PackedSplit` of the training pictures.
        steps_per_epoch: int.
        strategy: `tf.distribute.Strategy`.

    Returns:
        `keras.Model`, compiled, with a built optimizer.

    Raises:
        TrainingError: the options do not fit each other or the data.
        CheckpointError: an argument of the model is beyond what a checkpoint may hold.
    """
    keras.utils.set_random_seed(config.seed)
    with strategy.scope():
        model = _build(config, packed, strategy)
        _compile(model, config, packed, steps_per_epoch)
        model.optimizer.build(model.trainable_variables)
    return model


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


def _compile(model, config, packed, steps_per_epoch):
    # Keras puts the output's name before a metric's only where there are several outputs.
    prefix = "" if len(model.output_names) > 1 else "ab_"
    metrics = {
        "ab": [keras.metrics.MeanSquaredError(name=f"{prefix}mse"), InfoLoss()],
        "label": [keras.metrics.SparseCategoricalAccuracy(name="accuracy")],
    }
    weights = {"ab": 1.0, "label": config.label_weight}
    model.compile(
        optimizer=make_optimizer(config, steps_per_epoch),
        loss=default_losses(model.output_names, **_label_options(model, config, packed)),
        loss_weights={name: weights[name] for name in model.output_names},
        weighted_metrics={name: metrics[name] for name in model.output_names},
    )


def _label_options(model, config, packed):
    options = {}
    if config.label_smoothing:
        options["label_smoothing"] = config.label_smoothing
    balanced = config.class_weights == "balanced"
    if (options or balanced) and "label" not in model.output_names:
        raise TrainingError(
            f"`class_weights` and `label_smoothing` are for the class branch; this {config.model!r} has none. "
            "Leave them out, or choose a model and data with classes."
        )
    if balanced:
        options["class_weights"] = balanced_class_weights(packed, model.num_classes)
    return options


def _callbacks(config, directory, reached, splits, steps, report, on_damage):
    shown = BatchReader(
        config.data,
        "validation" if "validation" in splits else "train",
        batch_size=config.samples,
        image_size=config.image_size,
        shuffle=True,
        seed=config.seed,
        on_damage=on_damage,
    )
    inputs, targets, _ = model_values(shown.read(0, 0), shown.targets)
    return [
        StopOnNaN(),
        *([EarlyStopping(config.patience, config.monitor, reached.history, report)] if config.patience else []),
        ReportEpochs(reached.history, config.epochs, steps, config.monitor, report),
        SampleGrid(
            directory.samples,
            inputs["lightness"],
            targets["ab"],
            TensorBoardImages(directory.tensorboard / "samples"),
            report,
        ),
        keras.callbacks.TensorBoard(directory.tensorboard, write_graph=False),
    ]
