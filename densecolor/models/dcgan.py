"""The generator of Nazeri et al., 2018, "DCGAN" in SMCGAN's table: lightness and ab from lightness."""

import keras

from densecolor.color import AB_SCALE
from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.pix2pix import AB_RANGE
from densecolor.models.spectral import NEGATIVE_SLOPE

FILTERS = (64, 64, 128, 256, 512, 512, 512, 512)


@keras.saving.register_keras_serializable(package="densecolor")
class DCGANColorizer(Colorizer):
    """An encoder and a decoder of 4x4 convolutions with skip connections, which predict all three channels of Lab.

    Nazeri K., Ng E., Ebrahimi M., "Image Colorization using Generative Adversarial Networks", AMDO 2018, as in the
    authors' code: convolution, BatchNormalization, LeakyReLU in the encoder, ReLU in the decoder, and a 1x1
    convolution to the three channels; 42,023,811 parameters, and 16,654,851 of their smaller network for pictures of
    32 x 32 (`dcgan_cifar`), whose decoder begins with two stages with dropout.

    Where we differ:
        - The colourings that users get have the picture's own lightness: of the predicted one, only the losses and
          the discriminator take notice.
        - The moving statistics of BatchNormalization follow faster, as in all our models.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W, which are extended by their border
        to multiples of 128 inside.
    Output: dict of float32 tensors: `lab`, (batch, H, W, 3), the predicted L / 50 - 1 and ab / 128; and `ab`, (batch,
        H, W, 2), the latter.

    Args:
        filters: tuple of at least two int, channels of the encoder, the first at the full size, each next at half the
            size of the one before.
        dropout: float in [0, 1), share of the features that are dropped in training.
        dropped: int, first stages of the decoder that have it.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: there are too few `filters`.

    Example:
        >>> DCGANColorizer(filters=(4, 8))(np.zeros((1, 97, 131, 1)))["lab"].shape
        TensorShape([1, 97, 131, 3])
    """

    def __init__(
        self,
        filters=FILTERS,
        dropout=0.5,
        dropped=0,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="dcgan_colorizer",
    ):
        if len(filters) < 2:
            raise DensecolorError(f"`filters` must be at least 2 numbers. Received: {filters}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = PadToMultiple(2 ** (len(filters) - 1), name="pad")(lightness)
            encoded = _apply_encoder(x, filters, sync_batchnorm)
            x = _apply_decoder(encoded, dropout, dropped, sync_batchnorm)
            x = keras.layers.Conv2D(3, 1, activation="tanh", dtype="float32", name="output_conv")(x)
            scale = keras.layers.Rescaling([1.0] + [AB_RANGE / AB_SCALE] * 2, dtype="float32", name="scale")
            lab = CropLike(dtype="float32", name="lab")([scale(x), lightness])
            outputs = {"ab": keras.layers.Identity(dtype="float32", name="ab")(lab[..., 1:]), "lab": lab}
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.dropout = dropout
        self.dropped = dropped
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "dropout": self.dropout,
            "dropped": self.dropped,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_encoder(x, filters, synchronized):
    """One convolution at each size; the features of all sizes."""
    encoded = []
    for level, width in enumerate(filters):
        name = f"encoder{level}"
        strides = 2 if level else 1
        x = keras.layers.Conv2D(width, 4, strides=strides, padding="same", name=f"{name}_conv")(x)
        x = _norm(name, synchronized)(x)
        x = keras.layers.LeakyReLU(negative_slope=NEGATIVE_SLOPE, name=f"{name}_leaky")(x)
        encoded.append(x)
    return encoded


def _apply_decoder(encoded, dropout, dropped, synchronized):
    """Double the size and join the skip connection, up to the full size."""
    *skips, x = encoded
    for stage, (level, skip) in enumerate(reversed(list(enumerate(skips)))):
        name = f"decoder{level}"
        x = keras.layers.Conv2DTranspose(skip.shape[-1], 4, strides=2, padding="same", name=f"{name}_conv")(x)
        x = keras.layers.ReLU(name=f"{name}_relu")(_norm(name, synchronized)(x))
        if stage < dropped:
            x = keras.layers.Dropout(dropout, name=f"{name}_dropout")(x)
        x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
    return x


def _norm(name, synchronized):
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"{name}_norm"
    )
