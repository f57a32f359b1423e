"""The exponential moving average of the weights: used to look at a model, never to train it on.

The optimizer keeps the averages (`use_ema`), the model holds the raw weights; a state saved between steps holds both.
"""

import contextlib

import keras
from keras import ops


@contextlib.contextmanager
def averaged_weights(model):
    """Put the averages into a model for the duration of a `with` block; the raw weights come back to the last bit.

    Does nothing where the optimizer keeps no averages, and before the first step, when there are none yet.

    Args:
        model: a compiled `keras.Model` with a built optimizer.

    Yields:
        None

    Example:
        >>> with averaged_weights(model):
        ...     save_model(model, "best.keras")
    """
    pairs = _weights_and_averages(model.optimizer)
    # Keras' SwapEMAWeights adds and subtracts in place, which rounds the raw weights at every swap.
    raw = [ops.convert_to_numpy(variable) for variable, _ in pairs]
    try:
        for variable, average in pairs:
            variable.assign(ops.convert_to_numpy(average))
        yield
    finally:
        for (variable, _), value in zip(pairs, raw, strict=True):
            variable.assign(value)


class ValidateAverages(keras.callbacks.Callback):
    """Validate the averaged weights instead of the raw ones.

    Args:
        swapped: `contextlib.ExitStack` around `fit`; it brings the raw weights back where a validation is left by an
            exception.
    """

    def __init__(self, swapped):
        super().__init__()
        self._swapped = swapped

    def on_test_begin(self, logs=None):
        """The averages in."""
        self._swapped.enter_context(averaged_weights(self.model))

    def on_test_end(self, logs=None):
        """The raw weights back."""
        self._swapped.close()


def _weights_and_averages(optimizer):
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)  # of mixed_float16's loss scaling
    if not optimizer.use_ema or not ops.convert_to_numpy(optimizer.iterations):
        return []
    return list(zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True))
