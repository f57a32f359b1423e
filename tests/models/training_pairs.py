"""Trains a network with plain dense blocks, and one with those that store less; printed, for other backends."""

import sys

import keras
import numpy as np

from densecolor.models import dense_block
from densecolor.models import efficient_block
from densecolor.models.layers import dtype_scope

STEPS = 4


def network(blocks, dtype):
    """All that the blocks' module has, once."""
    with dtype_scope(dtype):
        picture = keras.Input((None, None, 1))
        x = blocks.apply_stem(picture, 6, 3, 1)
        x = blocks.apply_dense_block(x, 2, 3, "block1")
        x = blocks.apply_transition(x, 5, "transition1")
        x = blocks.concatenate([x, keras.layers.Conv2D(2, 1, name="beside")(picture)], "fusion")
        x = blocks.apply_dense_block(x, 2, 3, "block2")
        ab = keras.layers.Conv2D(2, 3, padding="same", name="ab")(blocks.apply_norm_relu(x, "output"))
    return keras.Model(picture, ab)


def differences(dtype):
    """The largest difference of losses, weights (moving statistics included) and answers, after some steps.

    Raises:
        AssertionError: training has moved nothing, so that there is nothing to compare.
    """
    keras.utils.set_random_seed(0)
    pair = [network(blocks, dtype) for blocks in (dense_block, efficient_block)]
    pair[1].set_weights(pair[0].get_weights())
    random = np.random.default_rng(0)
    x, ab = random.uniform(-1, 1, (STEPS, 3, 9, 12, 1)), random.normal(0, 0.3, (STEPS, 3, 9, 12, 2))
    losses = []
    for model in pair:
        before = model.get_weights()
        model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError(dtype=model.dtype))
        losses.append([model.train_on_batch(x[step], ab[step]) for step in range(STEPS)])
        for variable, start in zip(model.weights, before, strict=True):
            assert np.abs(np.subtract(variable, start, dtype="float64")).max() > 0, variable.path
    answers = [keras.ops.convert_to_numpy(model(x[0])) for model in pair]
    pairs = [losses, answers, *zip(*(model.get_weights() for model in pair), strict=True)]
    return max(np.abs(np.subtract(*one, dtype="float64")).max() for one in pairs)


if __name__ == "__main__":
    print(differences(sys.argv[1]))
