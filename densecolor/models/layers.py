"""What the networks share: building under a dtype policy, normalisation, and fitting any size to a multiple."""

import contextlib

import keras
from keras import ops

# Keras' 0.99 leaves the moving statistics far behind in the few hundred steps of a short training.
NORM_MOMENTUM = 0.95


@contextlib.contextmanager
def dtype_scope(dtype):
    """Build layers under a dtype policy, `keras.applications` networks included, which take none themselves."""
    outer = keras.config.dtype_policy()
    keras.config.set_dtype_policy(outer if dtype is None else dtype)
    try:
        yield keras.config.dtype_policy()
    finally:
        keras.config.set_dtype_policy(outer)


def norm_relu_layers(name, synchronized=False):
    """BatchNormalization and ReLU, as layers that may be applied more than once."""
    return [
        keras.layers.BatchNormalization(
            momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"{name}_norm"
        ),
        keras.layers.ReLU(name=f"{name}_relu"),
    ]


def apply_layers(x, layers):
    """One layer after the other."""
    for layer in layers:
        x = layer(x)
    return x


def apply_norm_relu(x, name, synchronized=False):
    """BatchNormalization, then ReLU."""
    return apply_layers(x, norm_relu_layers(name, synchronized))


def apply_output_convolution(x):
    """The 3x3 convolution to ab, in float32; small at first, so that training starts from nearly gray pictures."""
    small = keras.initializers.RandomNormal(stddev=1e-3)
    return keras.layers.Conv2D(2, 3, padding="same", kernel_initializer=small, dtype="float32", name="output_conv")(x)


def apply_label_output(vector, num_classes):
    """The fully connected layer to the probabilities of the classes, in float32."""
    return keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="label")(vector)


def spread_over(vector, features):
    """Repeat a vector (batch, C) at every pixel of `features`: (batch, H, W, C), whatever H and W are."""
    return vector[:, None, None, :] + ops.zeros_like(features[..., :1])


@keras.saving.register_keras_serializable(package="densecolor")
class PadToMultiple(keras.layers.Layer):
    """Extend a picture at the bottom and right, by repeating its border, until H and W are multiples.

    Args:
        multiple: int >= 1.
    """

    def __init__(self, multiple, **kwargs):
        super().__init__(**kwargs)
        self.multiple = multiple

    def call(self, x):
        """(batch, H, W, C) to (batch, H', W', C)."""
        for axis in (1, 2):
            size = ops.shape(x)[axis]
            padded = _round_up(size, self.multiple)
            x = ops.take(x, ops.minimum(ops.arange(padded), size - 1), axis=axis)
        return x

    def compute_output_shape(self, shape):
        """H and W rounded up; unknown ones stay unknown."""
        height, width = (None if size is None else _round_up(size, self.multiple) for size in shape[1:3])
        return (shape[0], height, width, shape[3])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "multiple": self.multiple}


def _round_up(size, multiple):
    """The next multiple; without the remainder of a negative number, which ONNX has otherwise than Python."""
    return (size + multiple - 1) // multiple * multiple


@keras.saving.register_keras_serializable(package="densecolor")
class CropLike(keras.layers.Layer):
    """Cut the first of two maps at the bottom and right to the height and width of the second."""

    def call(self, inputs):
        """(batch, H', W', C) and (batch, H, W, D) to (batch, H, W, C)."""
        x, reference = inputs
        height, width = ops.shape(reference)[1:3]
        return x[:, :height, :width]

    def compute_output_shape(self, shapes):
        """The second map's H and W with the first one's channels."""
        return (shapes[0][0], *shapes[1][1:3], shapes[0][3])


@keras.saving.register_keras_serializable(package="densecolor")
class Enlarge(keras.layers.Layer):
    """Bilinear enlargement, also of maps whose H and W are not known when the graph is traced.

    `keras.ops.image.resize`, and with it `UpSampling2D`, cannot do those, so that `predict` would fail at the second
    size of picture: for them the same interpolation is made of two matrix products.

    Args:
        factor: int >= 1.
    """

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        """(batch, H, W, C) to (batch, H * factor, W * factor, C)."""
        if None not in x.shape[1:3]:
            return ops.image.resize(x, self.compute_output_shape(x.shape)[1:3], data_format="channels_last")
        rows, columns = (self._weights(size, x.dtype) for size in ops.shape(x)[1:3])
        return ops.einsum("ih,jw,bhwc->bijc", rows, columns, x)

    def compute_output_shape(self, shape):
        """H and W times the factor; unknown ones stay unknown."""
        height, width = (None if size is None else size * self.factor for size in shape[1:3])
        return (shape[0], height, width, shape[3])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "factor": self.factor}

    def _weights(self, size, dtype):
        """How much each of `size` samples gives to each enlarged one: (size * factor, size)."""
        positions = (ops.arange(size * self.factor, dtype="float32") + 0.5) / self.factor - 0.5
        positions = ops.clip(positions, 0, ops.cast(size - 1, "float32"))
        distances = ops.abs(positions[:, None] - ops.arange(size, dtype="float32"))
        return ops.cast(ops.relu(1 - distances), dtype)


@keras.saving.register_keras_serializable(package="densecolor")
class EnlargeNearest(keras.layers.UpSampling2D):
    """`UpSampling2D` by repetition, whose result still knows how many channels it has.

    Without that, in a graph for all sizes, LiteRT has no convolution for what comes after it.

    Args:
        size: int >= 1.
    """

    def call(self, x):
        """(batch, H, W, C) to (batch, H * size, W * size, C)."""
        enlarged = super().call(x)
        height, width = ops.shape(enlarged)[1:3]
        return ops.reshape(enlarged, (-1, height, width, x.shape[-1]))


@keras.saving.register_keras_serializable(package="densecolor")
class ResizeTo(keras.layers.Layer):
    """Bilinear resizing to a square of one size, antialiased where it reduces.

    The same as `keras.ops.image.resize(..., antialias=True)`, made of two matrix products: no format that models are
    exported to knows the kernel that TensorFlow has for it.

    Args:
        size: int >= 1.
    """

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.size = size

    def call(self, x):
        """(batch, H, W, C) to (batch, size, size, C)."""
        rows, columns = (self._weights(size, x.dtype) for size in ops.shape(x)[1:3])
        resized = ops.einsum("ih,jw,bhwc->bijc", rows, columns, x)
        return ops.reshape(resized, (-1, self.size, self.size, x.shape[-1]))  # LiteRT's converter must know them

    def compute_output_shape(self, shape):
        """H and W are the size."""
        return (shape[0], self.size, self.size, shape[3])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "size": self.size}

    def _weights(self, size, dtype):
        """How much each of `size` samples gives to each resized one: (self.size, size), every row adding up to 1."""
        scale = ops.cast(size, "float32") / self.size
        positions = (ops.arange(self.size, dtype="float32") + 0.5) * scale - 0.5
        distances = ops.abs(positions[:, None] - ops.arange(size, dtype="float32"))
        weights = ops.relu(1 - distances / ops.maximum(scale, 1.0))
        return ops.cast(weights / ops.sum(weights, axis=1, keepdims=True), dtype)
