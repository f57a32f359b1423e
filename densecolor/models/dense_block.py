"""Dense blocks and transitions (Huang et al., "Densely Connected Convolutional Networks", CVPR 2017)."""

import keras

from densecolor.models.layers import apply_norm_relu

BOTTLENECK = 4  # channels of a 1x1 convolution, in growth rates


def apply_stem(x, filters, kernel_size, strides, synchronized=False):
    """The first convolution, from the picture to features for `apply_dense_block`.

    `synchronized` is for the form of `densecolor.models.efficient_block`, which takes the same arguments.
    """
    return apply_convolution(x, filters, kernel_size, "stem", strides)


def apply_dense_block(x, layers, growth_rate, name, synchronized=False):
    """Layers that each see all that came before: [BN, ReLU, 1x1, BN, ReLU, 3x3], concatenated.

    Args:
        x: features (batch, H, W, C).
        layers: number of layers.
        growth_rate: channels that each layer adds.
        name: prefix of the layers' names.
        synchronized: BatchNormalization over all replicas.

    Returns:
        Features (batch, H, W, C + layers * growth_rate).
    """
    for index in range(1, layers + 1):
        part = f"{name}_{index}"
        new = apply_norm_relu(x, f"{part}_bottleneck", synchronized)
        new = apply_convolution(new, BOTTLENECK * growth_rate, 1, f"{part}_bottleneck")
        new = apply_norm_relu(new, f"{part}_growth", synchronized)
        new = apply_convolution(new, growth_rate, 3, f"{part}_growth")
        x = concatenate([x, new], f"{part}_concat", synchronized)
    return x


def apply_transition(x, filters, name, synchronized=False):
    """[BN, ReLU, 1x1] to fewer channels; the size of the picture stays."""
    return apply_convolution(apply_norm_relu(x, name, synchronized), filters, 1, name)


def concatenate(parts, name, synchronized=False):
    """Features beside features; `synchronized` as in `apply_stem`."""
    return keras.layers.Concatenate(name=name)(parts)


def apply_convolution(x, filters, kernel_size, name, strides=1, centered=False):
    """A convolution without bias, which the normalisation after it would undo.

    `centered` pads equally on all sides, so that with strides the kernel's middle stands on pixels 0, 2, 4, ..., as
    every second pixel of a shortcut; Keras' own padding would put it on 1, 3, 5, ... of an even size.
    """
    if centered:
        x = keras.layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="valid" if centered else "same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
