"""What a run will cost, found out by taking its first steps without keeping anything."""

import dataclasses
import functools
import math
import statistics
import sys
import time

import keras
import numpy as np
import tensorflow as tf

from densecolor.dataset import BatchReader
from densecolor.dataset import load
from densecolor.shards import read_manifest
from densecolor.training.adversarial import colorizer_of
from densecolor.training.adversarial import optimizers_of
from densecolor.training.adversarial import target_names
from densecolor.training.building import build_compiled
from densecolor.training.building import fix_arithmetic
from densecolor.training.callbacks import StopOnNaN
from densecolor.training.durations import format_duration
from densecolor.training.fit import reader_errors_in_one_line
from densecolor.training.stored_embeddings import stored_branch
from densecolor.training.strategy import open_strategy
from densecolor.training.unpaired import training_batches

STEPS = 10
TIMED = 5  # of them, the last: the first ones build the graph and fill the queues
VALIDATION_STEPS = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a dry run found out; sizes in bytes, times in seconds."""

    model: str
    parameters: int
    trainable_parameters: int
    pictures: int
    validation_pictures: int
    image_size: int
    batch_size: int
    devices: int
    epochs: int
    steps_per_epoch: int
    steps: int  # of the whole run
    weights_bytes: int  # of the model and its discriminators, by arithmetic
    optimizer_bytes: int  # of moments and averages, by arithmetic
    gradients_bytes: int  # by arithmetic
    measured: str  # what `measured_bytes` is of: "GPU" or "process"
    measured_bytes: int | None  # the peak by the end of the steps; None where the system does not tell
    seconds_per_step: float
    images_per_second: float
    seconds_per_validation: float
    seconds: float  # of the whole run, without what is written between epochs
    training: dict  # the configuration, as `config.json` would hold it
    discriminators: dict = dataclasses.field(default_factory=dict)  # parameters of each, used in training only

    def text(self):
        """The plan as lines for people."""
        trained, fixed = self.trainable_parameters, self.parameters - self.trainable_parameters
        known = self.weights_bytes + self.optimizer_bytes + self.gradients_bytes
        peak = "not measured here"
        if self.measured_bytes is not None:
            peak = f"{_size(self.measured_bytes)}, measured peak of the {self.measured}"
        rows = {
            "model": f"{self.model}, {self.parameters:,} parameters: {trained:,} trained, {fixed:,} not",
            "data": f"{self.pictures:,} pictures of {self.image_size} x {self.image_size} to train, "
            f"{self.validation_pictures:,} to validate",
            "steps": f"{self.steps_per_epoch:,} an epoch of {self.batch_size} pictures, {self.epochs} epochs: "
            f"{self.steps:,}, on {self.devices} device(s)",
            "training": "{optimizer}, learning rate {learning_rate:.3g}, schedule {schedule}, {warmup_steps} steps of "
            "warm-up, label weight {label_weight:.3g}".format(**self.training),
            "adversary": self._adversary(),
            "memory": peak,
            "": f"{_size(known)} of it weights {_size(self.weights_bytes)}, optimizer {_size(self.optimizer_bytes)}, "
            f"gradients {_size(self.gradients_bytes)} (by arithmetic, on each device)",
            "speed": f"{self.images_per_second:,.1f} images/s, {self.seconds_per_step:.3g} s a step "
            f"(median of the last {TIMED} of {STEPS} steps)",
            "time": f"{format_duration(self.seconds)} for the whole run, "
            f"{format_duration(self.seconds_per_validation)} of each epoch for validation",
        }
        return "\n".join(f"{name:<10}{row}" for name, row in rows.items() if row)

    def _adversary(self):
        """The line on discriminators; empty where there are none."""
        if not self.discriminators:
            return ""
        networks = ", ".join(f"{name} {count:,} parameters" for name, count in self.discriminators.items())
        return (
            f"{self.training['gan']}, mask {self.training['gan_mask']}: {networks}; "
            f"{self.training['gan_discriminator_steps']} of their steps for each of the model"
        )


def dry_run(config, progress=None, report=print):
    """Build everything, take ten real steps on the real data, and say what the whole run will need.

    Nothing is written. It is this machine's devices that are measured; other workers take no part.

    Args:
        config: `TrainConfig`.
        progress: function (done, total) called after each of the steps.
        report: function of one line of text, told of damage that is skipped.

    Returns:
        `Plan`.

    Raises:
        FileNotFoundError, ShardError, TrainingError, CheckpointError: as `train` would.

    Example:
        >>> plan = dry_run(TrainConfig(data="packed", model="dense_small", epochs=20))
        >>> plan.images_per_second
        61.3
        >>> print(plan.text())
    """
    fix_arithmetic(config)
    with open_strategy(config.strategy, config.batch_size) as strategy:
        return _measure(config, strategy, progress, report)


def _measure(config, strategy, progress, report):
    splits = read_manifest(config.data).splits
    options = {
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "seed": config.seed,
        "on_damage": functools.cache(report) if config.skip_damaged else None,
        "embedding": stored_branch(config),
    }
    reader = BatchReader(config.data, "train", **options)
    steps_per_epoch = config.steps_per_epoch or reader.steps
    _forget_peak()
    model = build_compiled(config, reader, steps_per_epoch, strategy)
    options["targets"] = target_names(model)
    watch = _Stopwatch(progress)
    batches = training_batches(model, config, augment=config.augment, repeat=True, **options)
    validation_pictures, seconds_per_validation = 0, 0.0
    with reader_errors_in_one_line():
        model.fit(batches, steps_per_epoch=STEPS, shuffle=False, callbacks=[StopOnNaN(), watch], verbose=0)
        if "validation" in splits:
            validation = BatchReader(config.data, "validation", **options)
            validation_pictures = validation.packed.count
            seconds_per_validation = validation.steps * _validation_step(model, config, options)
    colorizer = colorizer_of(model)
    seconds_per_step = statistics.median(watch.seconds[-TIMED:])
    return Plan(
        model=config.model,
        parameters=colorizer.count_params(),
        trainable_parameters=sum(math.prod(variable.shape) for variable in colorizer.trainable_variables),
        pictures=reader.packed.count,
        validation_pictures=validation_pictures,
        image_size=reader.image_size,
        batch_size=config.batch_size,
        devices=strategy.num_replicas_in_sync,
        epochs=config.epochs,
        steps_per_epoch=steps_per_epoch,
        steps=config.epochs * steps_per_epoch,
        weights_bytes=_bytes(model.weights),
        optimizer_bytes=sum(_bytes(optimizer.variables) for optimizer in optimizers_of(model)),
        gradients_bytes=_bytes(model.trainable_variables),
        measured="GPU" if _gpus() else "process",
        measured_bytes=_peak(),
        seconds_per_step=seconds_per_step,
        images_per_second=config.batch_size / seconds_per_step,
        seconds_per_validation=seconds_per_validation,
        seconds=config.epochs * (steps_per_epoch * seconds_per_step + seconds_per_validation),
        training=dataclasses.asdict(config),
        discriminators={network.name: network.count_params() for network in getattr(model, "discriminators", ())},
    )


class _Stopwatch(keras.callbacks.Callback):
    """The time of each step, from the end of the one before."""

    def __init__(self, progress):
        super().__init__()
        self.seconds = []
        self._progress = progress

    def on_epoch_begin(self, epoch, logs=None):
        self._last = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now
        if self._progress:
            self._progress(len(self.seconds), STEPS)

    def on_test_batch_begin(self, batch, logs=None):
        self._last = time.perf_counter()

    def on_test_batch_end(self, batch, logs=None):
        self.seconds.append(time.perf_counter() - self._last)


def _validation_step(model, config, options):
    """Seconds of a validation step; not the first one's, which builds the graph."""
    watch = _Stopwatch(None)
    batches = load(config.data, "validation", **options).repeat()
    model.evaluate(batches, steps=VALIDATION_STEPS, callbacks=[watch], verbose=0)
    return min(watch.seconds)


def _bytes(variables):
    return sum(math.prod(variable.shape) * np.dtype(variable.dtype).itemsize for variable in variables)


def _gpus():
    return [device.name.removeprefix("/device:") for device in tf.config.list_logical_devices("GPU")]


def _forget_peak():
    for gpu in _gpus():
        tf.config.experimental.reset_memory_stats(gpu)


def _peak():
    """The most memory in use at a time: of the fullest GPU, or of this process; bytes, or None."""
    if gpus := _gpus():
        return max(tf.config.experimental.get_memory_info(gpu)["peak"] for gpu in gpus)
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _size(count):
    return f"{count / 1e9:.2f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
