"""Plain 3x3 convolutions one after the other, and the colour decoder of Iizuka's network and its followers."""

import keras

from densecolor.errors import DensecolorError
from densecolor.models.layers import apply_layers
from densecolor.models.layers import apply_output_convolution
from densecolor.models.layers import norm_relu_layers
from densecolor.models.upsampling import apply_upsampling


def convolution_layers(table, name, width=1.0, depth=1, normalized=False, synchronized=False, centered=False):
    """Layers of 3x3 convolutions with bias, [BN,] ReLU; may be applied to several inputs, which share the weights.

    Args:
        table: pairs (channels, strides), as a paper prints them.
        name: prefix of the layers' names.
        width: factor of all channels.
        depth: convolutions in place of each one; those after the first keep channels and size.
        normalized: BatchNormalization before each ReLU.
        synchronized: that over all replicas.
        centered: where there are strides, pad equally on all sides, as Torch does, and not as Keras.

    Returns:
        list of layers, for `layers.apply_layers`.
    """
    layers = []
    repeated = [row for filters, strides in table for row in [(filters, strides), *[(filters, 1)] * (depth - 1)]]
    for index, (filters, strides) in enumerate(repeated, start=1):
        part = f"{name}{index}"
        is_padded = centered and strides > 1
        if is_padded:
            layers.append(keras.layers.ZeroPadding2D(1, name=f"{part}_pad"))
        layers.append(
            keras.layers.Conv2D(
                scaled(filters, width),
                3,
                strides=strides,
                padding="valid" if is_padded else "same",
                kernel_initializer="he_normal",
                name=f"{part}_conv",
            )
        )
        layers += norm_relu_layers(part, synchronized) if normalized else [keras.layers.ReLU(name=f"{part}_relu")]
    return layers


def apply_color_decoder(x, activation, upsampling="nearest", **options):
    """From features at an eighth of the size to two channels at the full one.

    Iizuka et al., "Let there be Color!", ACM TOG 35(4), 2016: 128; up; 64, 64; up; 32; 2 with the activation; up.
    The activation comes after the last enlargement here: with "nearest" that is the same, and what learns
    ("transposed", "subpixel") stays bounded.

    Args:
        x: features (batch, H / 8, W / 8, C).
        activation: of the two channels.
        upsampling: one of `upsampling.UPSAMPLINGS`.
        **options: of `convolution_layers`.

    Returns:
        float32 (batch, H, W, 2).
    """
    for stage, table in enumerate((((128, 1),), ((64, 1), (64, 1)), ((32, 1),)), start=1):
        x = apply_layers(x, convolution_layers(table, f"decoder{stage}_", **options))
        if stage < 3:
            x = apply_upsampling(x, upsampling, f"up{stage}")
    x = apply_upsampling(apply_output_convolution(x), upsampling, "up3", dtype="float32")
    return keras.layers.Activation(activation, dtype="float32", name=activation)(x)


def scaled(filters, width):
    """A number of channels times the factor `width`, rounded, at least 1."""
    return max(1, round(filters * width))


def require_positive(**values):
    """Raise DensecolorError unless all values are positive numbers."""
    for name, value in values.items():
        if not value > 0:
            raise DensecolorError(f"`{name}` must be positive. Received: {name}={value}.")
