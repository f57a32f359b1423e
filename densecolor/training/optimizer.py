"""The optimizer of a run and how its learning rate goes: every option is one of `TrainConfig`."""

import keras

from densecolor.errors import TrainingError
from densecolor.optimizers import ClippedAdadelta
from densecolor.optimizers import ClippedAdam
from densecolor.optimizers import ClippedAdamW
from densecolor.optimizers import ClippedRMSprop
from densecolor.optimizers import ClippedSGD
from densecolor.optimizers import StepDecay

# Decay pulls towards zero what multiplies features; offsets and the factors of normalizations stay free.
NOT_DECAYED = ("bias", "gamma", "beta")


OPTIMIZERS = {
    "adam": (keras.optimizers.Adam, ClippedAdam),
    "adamw": (keras.optimizers.AdamW, ClippedAdamW),
    "adadelta": (keras.optimizers.Adadelta, ClippedAdadelta),
    "rmsprop": (keras.optimizers.RMSprop, ClippedRMSprop),
    "sgd": (keras.optimizers.SGD, ClippedSGD),
}


def make_optimizer(config, steps_per_epoch, rate=None, with_average=True):
    """The optimizer that a run's options ask for.

    Args:
        config: `TrainConfig`.
        steps_per_epoch: int.
        rate: function that gives the learning rate of a step, in place of the schedule.
        with_average: keep the moving average of the weights, if the options ask for one.

    Returns:
        `keras.optimizers.Optimizer`, not built.

    Raises:
        TrainingError: the warm-up is as long as the run.

    Example:
        >>> make_optimizer(TrainConfig(data="packed", optimizer="sgd", momentum=0.5), steps_per_epoch=100).momentum
        0.5
    """
    options = {"learning_rate": rate or _learning_rate(config, steps_per_epoch)}
    if config.optimizer in ("adam", "adamw"):
        usual = 0.9 if config.gan == "none" else 0.5
        options["beta_1"] = usual if config.beta_1 is None else config.beta_1
    if config.optimizer == "sgd":
        options["momentum"] = config.momentum
    if config.optimizer == "adamw":
        options["weight_decay"] = config.weight_decay
    if config.clip_norm:
        options["global_clipnorm"] = config.clip_norm
    if config.ema and with_average:
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
