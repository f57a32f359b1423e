"""What `model.compile` can take as an optimizer or as its rate, beyond Keras' own."""

import keras
from keras import ops


class _ClipsTheWholeGradient:
    """Clip by the global norm of the gradient that all replicas together have.

    Keras clips the share of each replica before they are added, so that several replicas would train something else
    than one does. `global_clipnorm` stays the option's name, so that Keras saves and restores it.
    """

    def _clip_gradients(self, grads):
        # Only Keras' TensorFlow optimizers work on shares.
        return grads if keras.backend.backend() == "tensorflow" else super()._clip_gradients(grads)

    def _all_reduce_sum_gradients(self, grads_and_vars):
        reduced = super()._all_reduce_sum_gradients(grads_and_vars)
        gradients = [ops.cast(gradient, "float32") for gradient, _ in reduced if gradient is not None]
        norm = ops.sqrt(ops.sum(ops.stack([ops.sum(ops.square(gradient)) for gradient in gradients])))
        scale = self.global_clipnorm / ops.maximum(norm, self.global_clipnorm)
        return [
            (None if gradient is None else gradient * ops.cast(scale, gradient.dtype), variable)
            for gradient, variable in reduced
        ]


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedAdam(_ClipsTheWholeGradient, keras.optimizers.Adam):
    """Adam of a clipped gradient; arguments as `keras.optimizers.Adam`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedAdadelta(_ClipsTheWholeGradient, keras.optimizers.Adadelta):
    """Adadelta of a clipped gradient; arguments as `keras.optimizers.Adadelta`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedAdamW(_ClipsTheWholeGradient, keras.optimizers.AdamW):
    """AdamW of a clipped gradient; arguments as `keras.optimizers.AdamW`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedRMSprop(_ClipsTheWholeGradient, keras.optimizers.RMSprop):
    """RMSprop of a clipped gradient; arguments as `keras.optimizers.RMSprop`, `global_clipnorm` among them."""


@keras.saving.register_keras_serializable(package="densecolor")
class ClippedSGD(_ClipsTheWholeGradient, keras.optimizers.SGD):
    """SGD of a clipped gradient; arguments as `keras.optimizers.SGD`, `global_clipnorm` among them."""


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
