"""A plain small U-Net: the baseline that every colorizer must beat when trained for the same time."""

import keras

from densecolor.models.colorizer import Colorizer
from densecolor.models.dense_block import apply_convolution
from densecolor.models.layers import CropLike
from densecolor.models.layers import Enlarge
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import apply_norm_relu
from densecolor.models.layers import apply_output_convolution
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import spread_over


@keras.saving.register_keras_serializable(package="densecolor")
class UNetColorizer(Colorizer):
    """An encoder and a decoder with skip connections, and the picture's mean features added at the bottom.

    After Ronneberger et al., "U-Net: Convolutional Networks for Biomedical Image Segmentation", MICCAI 2015, with
    BatchNormalization and `same` convolutions. 1.8 M parameters.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict with `ab`, float32 (batch, H, W, 2), ab / 128.

    Args:
        filters: tuple of int, channels at each size, from the full one down; each next size is half.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Example:
        >>> UNetColorizer(filters=(4, 8))(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        filters=(32, 64, 128, 256),
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="unet_colorizer",
    ):
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = PadToMultiple(2 ** (len(filters) - 1), name="pad")(lightness)
            x, skips = _apply_encoder(x, filters, sync_batchnorm)
            mean = keras.layers.GlobalAveragePooling2D(name="mean")(x)
            mean = keras.layers.Dense(filters[-1], activation="relu", name="global")(mean)
            x = _apply_decoder(x + spread_over(mean, x), skips, sync_batchnorm)
            ab = apply_output_convolution(x)
            ab = CropLike(dtype="float32", name="ab")([ab, lightness])
        super().__init__(lightness, {"ab": ab}, policy, working_size, name)
        self.filters = tuple(filters)
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_encoder(x, filters, synchronized):
    """Two convolutions at each size; all but the last size also give a skip connection."""
    skips = []
    for level, width in enumerate(filters):
        if level:
            skips.append(x)
            x = keras.layers.MaxPooling2D(name=f"down{level}")(x)
        for index in (1, 2):
            name = f"encoder{level}_{index}"
            x = apply_norm_relu(apply_convolution(x, width, 3, name), name, synchronized)
    return x, skips


def _apply_decoder(x, skips, synchronized):
    """Enlarge, join the skip connection, one convolution; up to the full size."""
    for level, skip in reversed(list(enumerate(skips))):
        name = f"decoder{level}"
        x = Enlarge(2, name=f"{name}_up")(x)
        x = keras.layers.Concatenate(name=f"{name}_join")([x, skip])
        x = apply_norm_relu(apply_convolution(x, skip.shape[-1], 3, name), name, synchronized)
    return x
