"""Convolutions whose kernels are divided by their largest singular value."""

import keras
from keras import ops

from densecolor.models.layers import NORM_MOMENTUM

NEGATIVE_SLOPE = 0.2  # of the LeakyReLU after them
EPSILON = 1e-12


@keras.saving.register_keras_serializable(package="densecolor")
class ReflectedSpectralConv2D(keras.layers.Layer):
    """A convolution without bias, with reflected borders, whose kernel is divided by its spectral norm.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018: the norm is that of the
    kernel as a matrix (kernel_size^2 * channels, filters), found by one step of power iteration in each call from a
    vector that is kept between training steps. The gradient goes through the norm, not through the vector.
    `keras.layers.SpectralNormalization` instead overwrites the kernel itself by the divided one in every step.

    Height and width must be above (kernel_size - 1) // 2, since that many pixels are reflected at each border; with
    strides of 2 even sizes are halved, as Torch does it.

    Args:
        filters: int.
        kernel_size: int, odd.
        strides: int.

    Example:
        >>> ReflectedSpectralConv2D(8, 3, strides=2)(np.zeros((1, 64, 48, 3))).shape
        TensorShape([1, 32, 24, 8])
    """

    def __init__(self, filters, kernel_size, strides=1, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides

    def build(self, shape):
        """Make the kernel, and the vector of the power iteration."""
        kernel_shape = (self.kernel_size, self.kernel_size, shape[-1], self.filters)
        # In float32 whatever the policy: the norm of a kernel in half precision would be off by percents.
        self.kernel = self.add_weight(
            shape=kernel_shape, initializer="glorot_uniform", dtype="float32", autocast=False, name="kernel"
        )
        self.vector = self.add_weight(
            shape=(self.filters,),
            initializer=keras.initializers.RandomNormal(),
            dtype="float32",
            autocast=False,
            trainable=False,
            name="vector",
        )

    def call(self, x, training=None):
        """(batch, H, W, C) to (batch, ceil(H / strides), ceil(W / strides), filters)."""
        matrix = ops.reshape(self.kernel, (-1, self.filters))
        left, right = self._iterate(ops.stop_gradient(matrix))
        if training:
            self.vector.assign(right)
        norm = ops.sum(left * ops.matmul(matrix, right))
        border = (self.kernel_size - 1) // 2
        if border:
            x = ops.pad(x, ((0, 0), (border, border), (border, border), (0, 0)), mode="reflect")
        kernel = ops.cast(self.kernel / norm, x.dtype)
        return ops.conv(x, kernel, self.strides, padding="valid", data_format="channels_last")

    def compute_output_shape(self, shape):
        """H and W divided by the strides, rounded up; unknown ones stay unknown."""
        height, width = (None if size is None else -(-size // self.strides) for size in shape[1:3])
        return (shape[0], height, width, self.filters)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
        }

    def _iterate(self, matrix):
        """One step: the left and right singular vectors as far as they are known, of length 1."""
        left = _unit(ops.matmul(matrix, self.vector))
        return left, _unit(ops.matmul(left, matrix))


def apply_spectral(x, filters, name, kernel_size=3, strides=1, normalized=True, **options):
    """Spectrally normalised convolution, BatchNormalization, LeakyReLU.

    Args:
        x: features (batch, H, W, C).
        filters, kernel_size, strides: of the convolution.
        name: prefix of the layers' names.
        normalized: whether there is a BatchNormalization.
        **options: of `apply_norm_leaky`.
    """
    x = ReflectedSpectralConv2D(filters, kernel_size, strides, name=f"{name}_conv")(x)
    return apply_norm_leaky(x, name, normalized=normalized, **options)


def apply_norm_leaky(x, name, normalized=True, synchronized=False):
    """[BatchNormalization,] LeakyReLU with a slope of 0.2."""
    if normalized:
        x = keras.layers.BatchNormalization(
            momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"{name}_norm"
        )(x)
    return keras.layers.LeakyReLU(negative_slope=NEGATIVE_SLOPE, name=f"{name}_leaky")(x)


def _unit(vector):
    return vector / ops.sqrt(ops.maximum(ops.sum(ops.square(vector)), EPSILON))
