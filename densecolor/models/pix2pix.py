"""The U-Net of Isola et al., 2017 (pix2pix), to ab or to RGB."""

import keras

from densecolor.color import AB_SCALE
from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.noise import SEEDS
from densecolor.models.noise import DiverseColorizer
from densecolor.models.noise import NoiseDropout
from densecolor.models.rgb_outputs import rgb_outputs
from densecolor.models.spectral import NEGATIVE_SLOPE

FILTERS = (64, 128, 256, 512, 512, 512, 512, 512)
AB_RANGE = 110  # what the tanh of ab stands for
COLORS = {"ab": 2, "rgb": 3}
DROPPED = 3


@keras.saving.register_keras_serializable(package="densecolor")
class Pix2PixColorizer(DiverseColorizer):
    """An encoder down to a single pixel and a decoder with skip connections at every size.

    Isola P., Zhu J.-Y., Zhou T., Efros A., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR
    2017: 4x4 convolutions with strides of 2, LeakyReLU before those of the encoder and ReLU before the transposed ones
    of the decoder, BatchNormalization after all but the first, the last and the one to the smallest size, whose
    convolutions alone have no bias but the last's. 54,409,858 parameters to ab, 54,411,907 to RGB, as in the authors'
    PyTorch code; their Lua code has biases everywhere, and normalises the smallest size, which makes it 0 in batches of
    one.

    The network's only noise is the dropout in the decoder, which the paper keeps on after training: `sample` does, and
    the model itself gives the colours without it. Normalisation then uses the moving statistics, where the authors
    take those of the picture.

    The generator of the plain GAN, the WGAN and the WGAN-GP of SMCGAN's table is this one, to RGB; what theirs was is
    not known.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W, which are extended by their border
        to multiples of 256 inside.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128, in [-110 / 128, 110 / 128]; to RGB also `rgb`,
        (batch, H, W, 3), sRGB in [0, 1], which `ab` is then made of.

    Args:
        colors: "ab", from lightness; or "rgb", from the gray values.
        filters: tuple of at least two int, channels of the encoder, each at half the size of the one before.
        dropout: float in [0, 1), share of the features that are dropped in training.
        dropped: int, first stages of the decoder that have it. Their PyTorch code has it in those from the second to
            the fourth instead.
        noise_seed: int, which noise the model has outside of training (see `sample`); None for none.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `colors` is not among its choices, or a number is out of range.

    Example:
        >>> Pix2PixColorizer(filters=(4, 8))(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        colors="ab",
        filters=FILTERS,
        dropout=0.5,
        dropped=DROPPED,
        noise_seed=None,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="pix2pix_colorizer",
    ):
        require_choice("colors", colors, COLORS)
        if len(filters) < 2:
            raise DensecolorError(f"`filters` must be at least 2 numbers. Received: {filters}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = lightness
            if colors == "rgb":
                x = keras.layers.Rescaling(2, -1, name="center")(to_gray(lightness))
            x = PadToMultiple(2 ** len(filters), name="pad")(x)
            encoded = _apply_encoder(x, filters, sync_batchnorm)
            x = _apply_decoder(encoded, dropout, dropped, noise_seed, sync_batchnorm)
            x = _transposed(COLORS[colors], "output_conv", use_bias=True, dtype="float32")(x)
            x = keras.layers.Activation("tanh", dtype="float32", name="tanh")(x)
            if colors == "rgb":
                rgb = keras.layers.Rescaling(0.5, 0.5, dtype="float32", name="to_unit")(x)
                outputs = rgb_outputs(rgb, lightness)
            else:
                ab = keras.layers.Rescaling(AB_RANGE / AB_SCALE, dtype="float32", name="scale")(x)
                outputs = {"ab": CropLike(dtype="float32", name="ab")([ab, lightness])}
        super().__init__(lightness, outputs, policy, working_size, name)
        self.colors = colors
        self.filters = tuple(filters)
        self.dropout = dropout
        self.dropped = dropped
        self.noise_seed = noise_seed
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "colors": self.colors,
            "filters": list(self.filters),
            "dropout": self.dropout,
            "dropped": self.dropped,
            "noise_seed": self.noise_seed,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_encoder(x, filters, synchronized):
    """Halve the size as often as there are filters; the features of all sizes."""
    encoded = []
    for level, width in enumerate(filters, start=1):
        name = f"encoder{level}"
        if level > 1:
            x = keras.layers.LeakyReLU(negative_slope=NEGATIVE_SLOPE, name=f"{name}_leaky")(x)
        # At even sizes, as all are here, Keras pads a 4x4 kernel equally on both sides, as Torch does.
        convolution = keras.layers.Conv2D(
            width,
            4,
            strides=2,
            padding="same",
            use_bias=False,
            kernel_initializer=_small(),
            name=f"{name}_conv",
        )
        x = convolution(x)
        if 1 < level < len(filters):
            x = _norm(name, synchronized)(x)
        encoded.append(x)
    return encoded


def _apply_decoder(encoded, dropout, dropped, seed, synchronized):
    """Double the size and join the skip connection, up to half the full size."""
    *skips, x = encoded
    for stage, (level, skip) in enumerate(reversed(list(enumerate(skips, start=1)))):
        name = f"decoder{level}"
        x = keras.layers.ReLU(name=f"{name}_relu")(x)
        x = _norm(name, synchronized)(_transposed(skip.shape[-1], f"{name}_conv")(x))
        if stage < dropped:
            x = NoiseDropout(dropout, None if seed is None else (seed + stage) % SEEDS, name=f"{name}_dropout")(x)
        x = keras.layers.Concatenate(name=f"{name}_join")([skip, x])
    return keras.layers.ReLU(name="output_relu")(x)


def _transposed(filters, name, use_bias=False, dtype=None):
    return keras.layers.Conv2DTranspose(
        filters,
        4,
        strides=2,
        padding="same",
        use_bias=use_bias,
        kernel_initializer=_small(),
        dtype=dtype,
        name=name,
    )


def _norm(name, synchronized):
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"{name}_norm"
    )


def _small():
    """The authors' initial weights."""
    return keras.initializers.RandomNormal(stddev=0.02)
