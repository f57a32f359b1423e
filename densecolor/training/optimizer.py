"""The optimizer of a run and how its learning rate goes: every option is one of `TrainConfig`."""

import keras
import tensorflow as tf
from keras import ops

from densecolor.errors import TrainingError

# Decay pulls towards zero what multiplies features; offsets and the factors of normalizations stay free.
NOT_DECAYED = ("bias", "gamma", "beta")


class _ClipsTheWholeGradient:
    """Clip by the global norm of the gradient that all replicas together have.

    Keras clips the share of each replica before they are added, so that several replicas would train something else
    than one does. `global_clipnorm` stays the option's name, so that Keras saves and restores it.
    """

    def _clip_gradients(self, grads):
        return grads

    def _all_reduce_sum_gradients(self, grads_and_vars):
        reduced = super()._all_reduce_sum_gradients(grads_and_vars)
        clipped, _ = tf.clip_by_global_norm([gradient for gradient, _ in reduced], self.global_clipnorm)
        return [(gradient, variable) for gradient, (_, variable) in zip(clipped, reduced, strict=True)]


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedAdam(_ClipsTheWholeGradient, keras.optimizers.Adam):
    """Adam of a clipped gradient; arguments as `keras.optimizers.Adam`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedAdamW(_ClipsTheWholeGradient, keras.optimizers.AdamW):
    """AdamW of a clipped gradient; arguments as `keras.optimizers.AdamW`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedSGD(_ClipsTheWholeGradient, keras.optimizers.SGD):
    """SGD of a clipped gradient; arguments as `keras.optimizers.SGD`, `global_clipnorm` among them."""


OPTIMIZERS = {
    "adam": (keras.optimizers.Adam, ClippedAdam),
    "adamw": (keras.optimizers.AdamW, ClippedAdamW),
    "sgd": (keras.optimizers.SGD, ClippedSGD),
}


@keras.saving.register_keras_serializable(package="densecolor")
class StepDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that is multiplied by `factor` every `decay_steps` steps, after a linear warm-up.

    rate(step) = learning_rate * factor ** floor(step / decay_steps) * min(1, step / warmup_steps). The steps of the
    warm-up count, so that the rate changes at the ends of epochs.

    Args:
        learning_rate: float, the first rate.
        decay_steps: int, steps at one rate.
        factor: float.
        warmup_steps: int, 0 for none.

    Example:
        >>> rate = StepDecay(0.1, decay_steps=10, factor=0.5)
        >>> [round(float(rate(step)), 3) for step in (0, 9, 10, 20)]
        [0.1, 0.1, 0.05, 0.025]
    """

    def __init__(self, learning_rate, decay_steps, factor, warmup_steps=0):
        super().__init__()
        self.learning_rate = learning_rate
        self.decay_steps = decay_steps
        self.factor = factor
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        """The rate of one step, counted from 0."""
        whole = ops.cast(ops.floor_divide(ops.cast(step, "int64"), self.decay_steps), "float32")
        rate = self.learning_rate * ops.power(ops.cast(self.factor, "float32"), whole)
        if not self.warmup_steps:
            return rate
        return rate * ops.minimum(1.0, ops.cast(step, "float32") / self.warmup_steps)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            "learning_rate": self.learning_rate,
            "decay_steps": self.decay_steps,
            "factor": self.factor,
            "warmup_steps": self.warmup_steps,
        }


def make_optimizer(config, steps_per_epoch):
    """The optimizer that a run's options ask for.

    Args:
        config: `TrainConfig`.
        steps_per_epoch: int.

    Returns:
        `keras.optimizers.Optimizer`, not built.

    Raises:
        TrainingError: the warm-up is as long as the run.

    Example:
        >>> make_optimizer(TrainConfig(data="packed", optimizer="sgd", momentum=0.5), steps_per_epoch=100).momentum
        0.5
    """
    options = {"learning_rate": _learning_rate(config, steps_per_epoch)}
    if config.optimizer == "sgd":
        options["momentum"] = config.momentum
    if config.optimizer == "adamw":
        options["weight_decay"] = config.weight_decay
    if config.clip_norm:
        options["global_clipnorm"] = config.clip_norm
    if config.ema:
        options |= {"use_ema": True, "ema_momentum": config.ema}
    plain, clipped = OPTIMIZERS[config.optimizer]
    optimizer = (clipped if config.clip_norm else plain)(**options)
    if config.optimizer == "adamw":
        optimizer.exclude_from_weight_decay(var_names=NOT_DECAYED)
    return optimizer


def _learning_rate(config, steps_per_epoch):
    steps = config.epochs * steps_per_epoch
    if config.warmup_steps >= steps:
        raise TrainingError(
            f"`warmup_steps`={config.warmup_steps} leaves none of the run's {steps} steps. "
            f"Choose fewer, or more epochs."
        )
    if config.schedule == "step":
        return StepDecay(
            config.learning_rate, config.step_epochs * steps_per_epoch, config.step_factor, config.warmup_steps
        )
    if config.schedule == "constant" and not config.warmup_steps:
        return config.learning_rate
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=0.0 if config.warmup_steps else config.learning_rate,
        decay_steps=steps - config.warmup_steps,
        alpha=0.0 if config.schedule == "cosine" else 1.0,
        warmup_target=config.learning_rate if config.warmup_steps else None,
        warmup_steps=config.warmup_steps,
    )
