"""The work of dense blocks as functions of tensors, with TensorFlow's own forms where those measured better.

All else in `densecolor.models` is `keras.ops` alone. Each function here has a plain form, which says what it computes,
and which the tests compare the others with.
"""

import keras
from keras import ops


def normalized_convolution(parts, factor, offset, kernel, stored=True):
    """A convolution of what BatchNormalization and ReLU make of features, without storing that for the backward pass.

    The backward pass concatenates, normalises and rectifies again. Pleiss et al., "Memory-Efficient Implementation of
    DenseNets", arXiv 1707.06990, 2017.

    Args:
        parts: list of features (batch, H, W, C_i), of one type.
        factor, offset: (C,), float32 or wider, C the sum of all C_i: the normalisation, `features * factor + offset`.
        kernel: (3, 3, C, D) or (1, 1, C, D), of the features' type.
        stored: whether the output is kept for the backward pass of functions of this module that it is given to.
            Else they compute it again, on TensorFlow; elsewhere it is kept.

    Returns:
        (batch, H, W, D), of the features' type.

    Example:
        >>> x = np.ones((1, 4, 4, 2), "float32")
        >>> normalized_convolution([x, x], np.ones(4, "float32"), np.ones(4, "float32"), np.ones((1, 1, 4, 1)))[0, 0, 0]
        <tf.Tensor: shape=(1,), dtype=float32, numpy=array([8.], dtype=float32)>
    """
    if keras.backend.backend() == "tensorflow":
        from densecolor.models import tensorflow_kernels

        return tensorflow_kernels.normalized_convolution(parts, factor, offset, kernel, stored)
    return keras.remat(plain_normalized_convolution)(parts, factor, offset, kernel)


def plain_normalized_convolution(parts, factor, offset, kernel):
    """What `normalized_convolution` computes."""
    rectified = plain_rectification(parts, factor, offset, kernel.dtype)
    return ops.conv(rectified, kernel, padding="same", data_format="channels_last")


def channel_moments(x, dtype, synchronized=False):
    """Mean and variance of each channel.

    Args:
        x: (batch, H, W, C).
        dtype: of the result, as wide as the type of `x` or wider.
        synchronized: over all replicas of a distribution strategy.

    Returns:
        (2, C).

    Example:
        >>> channel_moments(np.ones((1, 2, 2, 3), "float32"), "float32")[:, 0]
        <tf.Tensor: shape=(2,), dtype=float32, numpy=array([1., 0.], dtype=float32)>
    """
    if keras.backend.backend() == "tensorflow" and not synchronized:
        from densecolor.models import tensorflow_kernels

        return tensorflow_kernels.channel_moments(x, dtype)
    return plain_channel_moments(x, dtype, synchronized)


def plain_channel_moments(x, dtype, synchronized=False):
    """What `channel_moments` computes."""
    return ops.stack(ops.moments(ops.cast(x, dtype), (0, 1, 2), synchronized=synchronized))


def rectification(parts, factor, offset, dtype):
    """ReLU of the concatenated parts times factor plus offset, as numbers of a type; nothing else is stored.

    Args:
        parts, factor, offset: as of `normalized_convolution`.
        dtype: of the result.

    Returns:
        (batch, H, W, C).

    Example:
        >>> x = np.ones((1, 4, 4, 2), "float32")
        >>> rectification([x, x], np.ones(4, "float32"), -np.ones(4, "float32"), "float32").shape
        TensorShape([1, 4, 4, 4])
    """
    if keras.backend.backend() == "tensorflow":
        from densecolor.models import tensorflow_kernels

        return tensorflow_kernels.rectification(parts, factor, offset, dtype)
    return plain_rectification(parts, factor, offset, dtype)


def plain_rectification(parts, factor, offset, dtype):
    """What `rectification` computes."""
    joined = parts[0] if len(parts) == 1 else ops.concatenate(parts, axis=-1)
    return ops.cast(ops.relu(ops.cast(joined, factor.dtype) * factor + offset), dtype)
