"""The discriminator of Cao et al., 2017: one score for a whole picture."""

import keras

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.discriminators import COLOR_CHANNELS
from densecolor.models.discriminators import MAX_FILTERS_FACTOR
from densecolor.models.discriminators import NORM_LAYERS
from densecolor.models.discriminators import NORMALIZATIONS
from densecolor.models.discriminators import SLOPE
from densecolor.models.discriminators import input_channels
from densecolor.models.layers import dtype_scope

UNITS = 64


@keras.saving.register_keras_serializable(package="densecolor")
class PictureDiscriminator(keras.Model):
    """Convolutions of stride 2 and two linear layers to a score for a picture of one size.

    Cao Y. et al., "Unsupervised Diverse Colorization via Generative Adversarial Networks", ECML PKDD 2017: 5x5
    convolutions of 64, 128, 256 and 512 channels, BatchNormalization in all but the first, LeakyReLU, 64 linear units,
    one score. 4,832,769 parameters for lightness and ab at 64 x 64.

    Input: as `PatchDiscriminator`, with H and W equal to `side`.
    Output: scores, float32 (batch, 1, 1, 1), unbounded: those of a single patch.

    Args:
        side: int, height and width of the pictures in pixels.
        sees_mask, colors, layers, filters, normalization, synchronized, dtype, name: as in `PatchDiscriminator`.

    Raises:
        DensecolorError: an argument is out of range, or the pictures are too small.

    Example:
        >>> inputs = {"lightness": np.zeros((1, 64, 64, 1)), "ab": np.zeros((1, 64, 64, 2))}
        >>> PictureDiscriminator(64)(inputs).shape
        TensorShape([1, 1, 1, 1])
    """

    def __init__(
        self,
        side,
        sees_mask=False,
        colors="ab",
        layers=4,
        filters=64,
        normalization="batch",
        synchronized=False,
        dtype=None,
        name="picture_discriminator",
    ):
        require_choice("colors", colors, COLOR_CHANNELS)
        require_choice("normalization", normalization, NORMALIZATIONS)
        if side < 2**layers:
            raise DensecolorError(f"{layers} layers need pictures of at least {2**layers} pixels. Received: {side}.")
        with dtype_scope(dtype) as policy:
            channels = input_channels(colors, sees_mask)
            inputs = {part: keras.Input((side, side, count), name=part) for part, count in channels.items()}
            x = keras.layers.Concatenate(name="joined")(list(inputs.values()))
            small = keras.initializers.RandomNormal(stddev=0.02)
            for index in range(layers):
                width = filters * min(2**index, MAX_FILTERS_FACTOR)
                x = keras.layers.Conv2D(
                    width, 5, strides=2, padding="same", kernel_initializer=small, name=f"conv{index + 1}"
                )(x)
                norm = NORM_LAYERS[normalization] if index else None
                if norm is not None:
                    x = norm(f"norm{index + 1}", synchronized)(x)
                x = keras.layers.LeakyReLU(SLOPE, name=f"relu{index + 1}")(x)
            x = keras.layers.Flatten(name="flat")(x)
            x = keras.layers.Dense(UNITS, kernel_initializer=small, name="fc")(x)
            x = keras.layers.Dense(1, kernel_initializer=small, dtype="float32", name="score")(x)
            scores = keras.layers.Reshape((1, 1, 1), dtype="float32", name="scores")(x)
        super().__init__(inputs, scores, name=name)
        self.dtype_policy = policy
        self.side = side
        self.sees_mask = sees_mask
        self.colors = colors
        self.layer_count = layers
        self.filters = filters
        self.normalization = normalization
        self.synchronized = synchronized

    def iterate(self):
        """Nothing: there is no spectral normalisation here."""

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            "side": self.side,
            "sees_mask": self.sees_mask,
            "colors": self.colors,
            "layers": self.layer_count,
            "filters": self.filters,
            "normalization": self.normalization,
            "synchronized": self.synchronized,
            "dtype": self.dtype_policy.name,
            "name": self.name,
        }
