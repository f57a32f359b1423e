"""The generator of Cao et al., 2017 (ColorGAN): many colourings of one picture, by noise."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.convolutions import require_positive
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import apply_norm_relu
from densecolor.models.layers import dtype_scope
from densecolor.models.noise import SEEDS
from densecolor.models.noise import DiverseColorizer
from densecolor.models.noise import hashed_uniform
from densecolor.models.noise import require_seed
from densecolor.models.rgb_outputs import RGBToAb

FILTERS = (128, 64, 64, 64, 32)
FIRST_KERNEL, KERNEL = 7, 5
NOISE_LENGTH = 100
MAP_SIZE = 64
NOISES = ("shared", "separate", "maps")


@keras.saving.register_keras_serializable(package="densecolor")
class ColorGANColorizer(DiverseColorizer):
    """Convolutions at the picture's own size, each of which sees the gray picture again, and the first ones noise.

    Cao Y., Zhou Z., Zhang W., Yu Y., "Unsupervised Diverse Colorization via Generative Adversarial Networks", ECML PKDD
    2017: a 7x7 and five 5x5 convolutions with strides of 1, BatchNormalization and ReLU, the gray picture concatenated
    before every one, 100 random numbers brought to a map of 64 x 64 by a linear layer, a tanh to the U and V of YUV.

    The paper concatenates noise before the first half of the convolutions; the authors' released code does before the
    first alone (`noise_layers=1`: 895,350 parameters). That the map is the same for all (898,550 parameters) is our
    choice: `noise="separate"` has a linear layer for each (1,725,946), "maps" draws a number for every pixel instead.

    It is trained by a discriminator alone, without a loss that compares with the true colours; so every sample is a
    colouring that might be, and the distance from the true colours says little. `sample(seed)` gives others; the model
    itself has the noise of `noise_seed`.

    Where we differ:
        - The authors' Y is the luma of the colour picture; here it is the sRGB gray of the lightness.
        - Their discriminator sees YUV; ours lightness and ab.
        - Maps are stretched to other sizes than 64 x 64 by repeating pixels.
        - The moving statistics of BatchNormalization follow faster, as in all our models.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict with `ab`, float32 (batch, H, W, 2), ab / 128, of the predicted YUV, clipped to sRGB.

    Args:
        filters: tuple of int, channels of the convolutions but for the last.
        noise: "shared", "separate" or "maps".
        noise_layers: int, first convolutions that see noise.
        noise_length: int, random numbers that a map is made of.
        map_size: int, side of the map.
        noise_seed: int in [0, 2^31), which noise the model has outside of training (see `sample`).
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `noise` is not among its choices, or a number is out of range.

    Example:
        >>> model = ColorGANColorizer(filters=(4, 4), map_size=8)
        >>> first, second = (model.sample(seed)(np.zeros((1, 97, 131, 1)))["ab"] for seed in (1, 2))
        >>> bool(np.any(first != second))
        True
    """

    def __init__(
        self,
        filters=FILTERS,
        noise="shared",
        noise_layers=3,
        noise_length=NOISE_LENGTH,
        map_size=MAP_SIZE,
        noise_seed=0,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="colorgan_colorizer",
    ):
        require_choice("noise", noise, NOISES)
        require_seed(noise_seed)
        require_positive(noise_layers=noise_layers, noise_length=noise_length, map_size=map_size)
        if noise_layers > len(filters):
            raise DensecolorError(f"`noise_layers` must be at most {len(filters)}. Received: {noise_layers}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            gray = to_gray(lightness)
            centered = keras.layers.Rescaling(2, -1, name="center")(gray)
            count = 1 if noise == "shared" else noise_layers
            if noise == "maps":
                maps = [
                    NoiseMap((noise_seed + place) % SEEDS, name=f"noise{place}")(lightness) for place in range(count)
                ]
            else:
                vector = NoiseVector(noise_length, noise_seed, name="noise")(lightness)
                maps = [_project(vector, lightness, map_size, f"map{place}", sync_batchnorm) for place in range(count)]
            maps *= noise_layers // count
            x = None
            for place, width in enumerate(filters):
                seen = [centered, *([] if x is None else [x]), *maps[place : place + 1]]
                x = keras.layers.Concatenate(name=f"conv{place + 1}_join")(seen)
                kernel_size = KERNEL if place else FIRST_KERNEL
                x = keras.layers.Conv2D(width, kernel_size, padding="same", name=f"conv{place + 1}")(x)
                x = apply_norm_relu(x, f"conv{place + 1}", sync_batchnorm)
            x = keras.layers.Concatenate(name="output_join")([centered, x])
            uv = keras.layers.Conv2D(2, KERNEL, padding="same", activation="tanh", dtype="float32", name="output_conv")(
                x
            )
            rgb = YUVToRGB(dtype="float32", name="rgb_of_yuv")([gray, uv])
            outputs = {"ab": RGBToAb(dtype="float32", name="ab")(rgb)}
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.noise = noise
        self.noise_layers = noise_layers
        self.noise_length = noise_length
        self.map_size = map_size
        self.noise_seed = noise_seed
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "noise": self.noise,
            "noise_layers": self.noise_layers,
            "noise_length": self.noise_length,
            "map_size": self.map_size,
            "noise_seed": self.noise_seed,
            "sync_batchnorm": self.sync_batchnorm,
        }


@keras.saving.register_keras_serializable(package="densecolor")
class YUVToRGB(keras.layers.Layer):
    """JPEG's full-range YUV, with U and V from -1 to 1, to RGB; not clipped."""

    def call(self, inputs):
        """[Y (batch, H, W, 1) in [0, 1], UV (batch, H, W, 2)] to (batch, H, W, 3)."""
        y, uv = inputs
        u, v = uv[..., :1] / 2, uv[..., 1:] / 2
        return ops.concatenate([y + 1.402 * v, y - 0.344136 * u - 0.714136 * v, y + 1.772 * u], axis=-1)

    def compute_output_shape(self, shapes):
        """Three channels."""
        return (*shapes[0][:3], 3)


class _Noise(keras.layers.Layer):
    """Even numbers from -1 to 1: new ones for every picture in training, else those of a seed for all pictures.

    Args:
        seed: int in [0, 2^31).
    """

    def __init__(self, seed=0, **kwargs):
        super().__init__(**kwargs)
        require_seed(seed)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator()

    def _draw(self, batch, shape, training):
        if training:
            drawn = keras.random.uniform((batch, *shape), -1, 1, dtype=self.compute_dtype, seed=self.seed_generator)
        else:
            drawn = ops.cast(2 * hashed_uniform(shape, self.seed) - 1, self.compute_dtype)[None]
            drawn = ops.broadcast_to(drawn, (batch, *shape))
        return drawn

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable(package="densecolor")
class NoiseVector(_Noise):
    """A vector of noise for each picture.

    Args:
        length: int, numbers.
        seed: as in `_Noise`.
    """

    def __init__(self, length, seed=0, **kwargs):
        super().__init__(seed, **kwargs)
        self.length = length

    def call(self, x, training=None):
        """(batch, ...) to (batch, length)."""
        return self._draw(ops.shape(x)[0], (self.length,), training)

    def compute_output_shape(self, shape):
        """One vector a picture."""
        return (shape[0], self.length)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "length": self.length}


@keras.saving.register_keras_serializable(package="densecolor")
class NoiseMap(_Noise):
    """A number of noise for each pixel."""

    def call(self, x, training=None):
        """(batch, H, W, C) to (batch, H, W, 1)."""
        batch, height, width = ops.shape(x)[:3]
        return self._draw(batch, (height, width, 1), training)

    def compute_output_shape(self, shape):
        """One channel."""
        return (*shape[:3], 1)


@keras.saving.register_keras_serializable(package="densecolor")
class StretchLike(keras.layers.Layer):
    """Bring the first of two maps to the height and width of the second, by repeating or leaving out pixels."""

    def call(self, inputs):
        """(batch, h, w, C) and (batch, H, W, D) to (batch, H, W, C)."""
        x, reference = inputs
        for axis in (1, 2):
            size, wanted = x.shape[axis], ops.shape(reference)[axis]
            x = ops.take(x, ops.arange(wanted) * size // wanted, axis=axis)
        return x

    def compute_output_shape(self, shapes):
        """The second map's H and W with the first one's channels."""
        return (shapes[0][0], *shapes[1][1:3], shapes[0][3])


def _project(vector, lightness, size, name, synchronized):
    """A map of noise: one linear layer, BatchNormalization, ReLU."""
    x = keras.layers.Dense(size * size, name=f"{name}_fc")(vector)
    x = keras.layers.Reshape((size, size, 1), name=f"{name}_square")(x)
    return StretchLike(name=f"{name}_stretch")([apply_norm_relu(x, name, synchronized), lightness])
