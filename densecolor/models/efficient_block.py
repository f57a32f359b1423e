"""Dense blocks that store less for the backward pass than `densecolor.models.dense_block`, and compute the same.

Of each layer only what it adds is stored: no concatenations, nothing that normalisation and ReLU make, and no
bottlenecks (these are stored on JAX, and where statistics are synchronised over replicas). The statistics of a channel
are taken once, and not by each layer that reads the channel.

The graph is that of the plain network, layer for layer: names, weights and order are the same, and the classes have the
plain ones' names, by which Keras files weights. So a checkpoint of either network fits the other. What is different is
what passes between the layers: `features`, a list of moments (2, C) and of one or several parts (batch, H, W, C_i) of
the C channels; and behind a normalisation the same with a factor and an offset, (2, C), in place of the moments.
"""

import keras
from keras import ops

from densecolor.models.dense_block import BOTTLENECK
from densecolor.models.kernels import channel_moments
from densecolor.models.kernels import normalized_convolution
from densecolor.models.kernels import plain_normalized_convolution
from densecolor.models.kernels import plain_rectification
from densecolor.models.kernels import rectification
from densecolor.models.layers import NORM_MOMENTUM


def apply_stem(x, filters, kernel_size, strides, synchronized=False):
    """The first convolution, from a tensor to `features`."""
    return _convolution(filters, kernel_size, "stem", strides, synchronized)(x)


def apply_dense_block(features, layers, growth_rate, name, synchronized=False):
    """As `densecolor.models.dense_block.apply_dense_block`, from `features` to `features`."""
    for index in range(1, layers + 1):
        part = f"{name}_{index}"
        new = _apply_norm_convolution(
            features, BOTTLENECK * growth_rate, 1, f"{part}_bottleneck", synchronized, stored=False
        )
        new = _apply_norm_convolution(new, growth_rate, 3, f"{part}_growth", synchronized)
        features = concatenate([features, new], f"{part}_concat", synchronized)
    return features


def apply_transition(features, filters, name, synchronized=False):
    """[BN, ReLU, 1x1] to fewer channels, from `features` to `features`."""
    return _apply_norm_convolution(features, filters, 1, name, synchronized)


def concatenate(parts, name, synchronized=False):
    """A list of `features` and of tensors as one `features`."""
    return ConcatenateFeatures(synchronized, name=name)(parts)


def apply_norm_relu(features, name, synchronized=False):
    """BatchNormalization, then ReLU, from `features` to a tensor (batch, H, W, C)."""
    return Rectify(name=f"{name}_relu")(_normalization(name, synchronized)(features))


def _apply_norm_convolution(features, filters, kernel_size, name, synchronized, stored=True):
    features = _normalization(name, synchronized)(features)
    # The convolution rectifies. Files name weights by the order of layers, so none may be missing here.
    features = keras.layers.Identity(autocast=False, name=f"{name}_relu")(features)
    return _convolution(filters, kernel_size, name, 1, synchronized, stored)(features)


def _normalization(name, synchronized):
    return BatchNormalization(momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"{name}_norm")


def _convolution(filters, kernel_size, name, strides, synchronized, stored=True):
    return Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        synchronized=synchronized,
        stored=stored,
        name=f"{name}_conv",
    )


@keras.saving.register_keras_serializable(package="densecolor")
class BatchNormalization(keras.layers.BatchNormalization):
    """Normalisation as a factor and an offset of each channel, which others apply; `features` in and out."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.input_spec = None

    def build(self, shapes):
        """As the plain layer for all parts together."""
        super().build((None, None, None, shapes[0][-1]))
        self.input_spec = None

    def call(self, features, training=None):
        """[moments (2, C), *parts] to [factor and offset (2, C), *parts]."""
        moments, *parts = features
        dtype = moments.dtype
        gamma, beta, *moving = (
            ops.cast(value, dtype) for value in (self.gamma, self.beta, self.moving_mean, self.moving_variance)
        )
        statistics = moving
        if training and self.trainable:
            statistics = [moments[0], moments[1]]
            for variable, before, now in zip((self.moving_mean, self.moving_variance), moving, statistics, strict=True):
                variable.assign(before * self.momentum + now * (1.0 - self.momentum))
        mean, variance = statistics
        factor = gamma * ops.rsqrt(variance + self.epsilon)
        return [ops.stack([factor, beta - mean * factor]), *parts]

    def compute_output_spec(self, features, training=None):
        """As what comes in."""
        return [keras.KerasTensor(part.shape, part.dtype) for part in features]


@keras.saving.register_keras_serializable(package="densecolor")
class Conv2D(keras.layers.Conv2D):
    """A convolution without bias, of a tensor or of what a `BatchNormalization` of this module gives, to `features`.

    Args:
        *args, **kwargs: of `keras.layers.Conv2D`.
        synchronized: bool, take moments over all replicas of a distribution strategy.
        stored: bool, whether the output is kept for the backward pass, or computed there again. It may be behind a
            normalisation only.
    """

    def __init__(self, *args, synchronized=False, stored=True, **kwargs):
        super().__init__(*args, autocast=False, **kwargs)
        self.input_spec = None
        self.synchronized = synchronized
        self.stored = stored

    def build(self, shapes):
        """As the plain layer for all parts together."""
        channels = shapes[0][-1] if isinstance(shapes[0], list | tuple) else shapes[-1]
        super().build((None, None, None, channels))
        self.input_spec = None

    def call(self, inputs, training=None):
        """A tensor, or [factor and offset (2, C), *parts], to [moments (2, filters), (batch, H, W, filters)]."""
        kernel = ops.cast(self.kernel, self.compute_dtype)
        if isinstance(inputs, list):
            # Where there is no backward pass nothing is stored, and exported models have no use for one.
            if training:
                new = normalized_convolution(inputs[1:], inputs[0][0], inputs[0][1], kernel, self.stored)
            else:
                new = plain_normalized_convolution(inputs[1:], inputs[0][0], inputs[0][1], kernel)
        else:
            new = ops.conv(ops.cast(inputs, self.compute_dtype), kernel, self.strides, "same", "channels_last")
        return [_moments(new, self.synchronized, training), new]

    def compute_output_spec(self, inputs, training=None):
        """Of moments and output."""
        shape = inputs[1].shape if isinstance(inputs, list) else inputs.shape
        shape = super().compute_output_shape((*shape[:3], self.kernel.shape[2]))
        return _features_spec([keras.KerasTensor(shape, self.compute_dtype)])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "synchronized": self.synchronized, "stored": self.stored}


@keras.saving.register_keras_serializable(package="densecolor")
class ConcatenateFeatures(keras.layers.Layer):
    """Several `features`, and tensors (batch, H, W, C), as one `features`; the parts stay apart.

    Args:
        synchronized: bool, take the moments of tensors over all replicas of a distribution strategy.
    """

    def __init__(self, synchronized=False, **kwargs):
        super().__init__(autocast=False, **kwargs)
        self.synchronized = synchronized

    def call(self, inputs, training=None):
        """To [moments (2, C), *parts]."""
        features = [
            item if isinstance(item, list) else [_moments(item, self.synchronized, training), item] for item in inputs
        ]
        return [ops.concatenate([item[0] for item in features], axis=-1), *_parts_of(features)]

    def compute_output_spec(self, inputs, training=None):
        """Of the moments and all parts."""
        return _features_spec(_parts_of([item if isinstance(item, list) else [None, item] for item in inputs]))

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "synchronized": self.synchronized}


@keras.saving.register_keras_serializable(package="densecolor")
class Rectify(keras.layers.Layer):
    """What a `BatchNormalization` of this module gives, normalised and rectified: a tensor (batch, H, W, C)."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, inputs, training=None):
        """[factor and offset (2, C), *parts] to (batch, H, W, C)."""
        rectify = rectification if training else plain_rectification
        return rectify(inputs[1:], inputs[0][0], inputs[0][1], self.compute_dtype)

    def compute_output_spec(self, inputs, training=None):
        """Of the concatenation."""
        return keras.KerasTensor((*inputs[1].shape[:3], inputs[0].shape[1]), self.compute_dtype)


def _moments(x, synchronized, training):
    """Mean and variance of each channel, (2, C), in float32 or wider; nobody reads them outside of training."""
    dtype = keras.backend.result_type(x.dtype, "float32")
    if not training:
        return ops.zeros((2, x.shape[-1]), dtype)
    return channel_moments(x, dtype, synchronized)


def _parts_of(features):
    return [part for item in features for part in item[1:]]


def _features_spec(parts):
    channels = sum(part.shape[-1] for part in parts)
    moments = keras.KerasTensor((2, channels), keras.backend.result_type(parts[0].dtype, "float32"))
    return [moments, *(keras.KerasTensor(part.shape, part.dtype) for part in parts)]
