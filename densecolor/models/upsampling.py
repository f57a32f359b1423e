"""Doubling the size of feature maps, in the four ways that decoders are compared by."""

import keras
from keras import ops

from densecolor.models.layers import Enlarge
from densecolor.models.layers import EnlargeNearest

UPSAMPLINGS = ("nearest", "bilinear", "transposed", "subpixel")


def apply_upsampling(x, kind, name, dtype=None):
    """Double height and width; the channels stay as many as they are.

    Args:
        x: features (batch, H, W, C).
        kind: "nearest" or "bilinear", which learn nothing; "transposed", a 4x4 convolution with strides of 2, whose
            kernel divides evenly by them (Odena et al., "Deconvolution and Checkerboard Artifacts", Distill 2016);
            or "subpixel", a 3x3 convolution to four times the channels, which become pixels (Shi et al., CVPR 2016).
        name: of the layer; the convolution of "subpixel" has "_conv" after it.
        dtype: dtype policy or its name, None for the global one.

    Returns:
        Features (batch, 2 H, 2 W, C).
    """
    channels = x.shape[-1]
    if kind == "transposed":
        layer = keras.layers.Conv2DTranspose(
            channels, 4, strides=2, padding="same", kernel_initializer="he_normal", dtype=dtype, name=name
        )
        return layer(x)
    if kind == "subpixel":
        convolution = keras.layers.Conv2D(
            4 * channels, 3, padding="same", kernel_initializer="he_normal", dtype=dtype, name=f"{name}_conv"
        )
        return PixelShuffle(2, dtype=dtype, name=name)(convolution(x))
    if kind == "bilinear":
        return Enlarge(2, dtype=dtype, name=name)(x)
    return EnlargeNearest(2, dtype=dtype, name=name)(x)


@keras.saving.register_keras_serializable(package="densecolor")
class PixelShuffle(keras.layers.Layer):
    """Groups of channels become squares of pixels, row by row.

    Args:
        factor: int >= 1, side of the squares; the channels are a multiple of its square.

    Example:
        >>> PixelShuffle(2)(np.float32([[[[1, 2, 3, 4]]]]))[0, ..., 0].numpy().tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        """(batch, H, W, C * factor^2) to (batch, H * factor, W * factor, C)."""
        height, width = ops.shape(x)[1:3]
        channels = x.shape[-1] // self.factor**2
        x = ops.reshape(x, (-1, height, width, self.factor, self.factor, channels))
        x = ops.transpose(x, (0, 1, 3, 2, 4, 5))
        return ops.reshape(x, (-1, height * self.factor, width * self.factor, channels))

    def compute_output_shape(self, shape):
        """H and W times the factor; unknown ones stay unknown."""
        height, width = (None if size is None else size * self.factor for size in shape[1:3])
        return (shape[0], height, width, shape[3] // self.factor**2)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "factor": self.factor}
