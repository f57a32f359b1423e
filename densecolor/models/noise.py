"""Noise that makes one network give several colourings, the same on every backend and for every size of picture."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer

# Every integer below it has another cube modulo it, and its square fits into 31 bits.
PRIME = 46337
SEEDS = 2**31
ROUNDS = 3  # after the last number is mixed in


def hashed_uniform(shape, seed):
    """Numbers in [0, 1) that depend on their place and a seed alone.

    Keras' own random numbers of one seed differ between backends. These are 16 bits of integer arithmetic: each index
    in turn is added and the sum raised to the third power modulo a prime, as in Albrecht et al., "MiMC", ASIACRYPT
    2016, which is not meant to keep secrets here. A number does not change with the size of the map that it is in.

    Args:
        shape: tuple of ints or integer tensors, of one to three sizes.
        seed: int in [0, 2^31).

    Returns:
        float32 of that shape.

    Raises:
        DensecolorError: `seed` is out of range.

    Example:
        >>> hashed_uniform((3,), seed=7).numpy().tolist() == hashed_uniform((5,), seed=7)[:3].numpy().tolist()
        True
    """
    require_seed(seed)
    state = ops.reshape(_mix(_mix(ops.convert_to_tensor(1, "int32"), seed % PRIME), seed // PRIME), (1,) * len(shape))
    # The last axis first: there the map is smallest.
    for axis in reversed(range(len(shape))):
        places = ops.reshape(ops.cast(ops.arange(shape[axis]), "int32"), [-1] + [1] * (len(shape) - 1 - axis))
        state = _mix(_mix(state, places % PRIME), places // PRIME)
    for number in range(ROUNDS):
        state = _mix(state, 7919 * (number + 1) % PRIME)
    return ops.cast(state, "float32") / PRIME


def require_seed(seed):
    """Raise DensecolorError unless it is a seed of `hashed_uniform`."""
    if not 0 <= seed < SEEDS:
        raise DensecolorError(f"A seed of noise must be at least 0 and below 2^31. Received: {seed}.")


def _mix(state, number):
    total = (state + number + 1) % PRIME
    return total * total % PRIME * total % PRIME


class DiverseColorizer(Colorizer):
    """A colorizer with noise: an argument `noise_seed` decides which of its colourings it gives."""

    def sample(self, seed):
        """The same network with other noise.

        Args:
            seed: int in [0, 2^31). The same seed gives the same colours.

        Returns:
            A colorizer of the same class with a copy of the weights.

        Raises:
            DensecolorError: `seed` is out of range.

        Example:
            >>> model = densecolor.load_model("runs/colorgan")
            >>> colourings = [model.sample(seed).predict_on_batch(lightness)["ab"] for seed in range(5)]
        """
        require_seed(seed)
        other = type(self).from_config(self.get_config() | {"noise_seed": seed})
        other.set_weights(self.get_weights())
        return other


@keras.saving.register_keras_serializable(package="densecolor")
class NoiseDropout(keras.layers.Layer):
    """Dropout that may stay on after training, where its seed then decides what is dropped.

    Args:
        rate: float in [0, 1), share of the features that become 0; the others grow so that their sum stays.
        seed: int, or None: outside of training nothing is dropped.
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= rate < 1:
            raise DensecolorError(f"`dropout` must be at least 0 and below 1. Received: {rate}.")
        if seed is not None:
            require_seed(seed)
        self.rate = rate
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, training=None):
        """(batch, H, W, C) to the same; outside of training all pictures of a batch lose the same features."""
        if training:
            return keras.random.dropout(x, self.rate, seed=self.seed_generator)
        if self.seed is None:
            return x
        kept = ops.cast(hashed_uniform(ops.shape(x)[1:], self.seed) >= self.rate, x.dtype)
        return x * kept / (1 - self.rate)

    def compute_output_shape(self, shape):
        """That of the features."""
        return shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}
