"""TensorFlow's forms of `densecolor.models.kernels`, with gradients written out.

On a CPU the gradients of small convolutions take several times as long as products of matrices of the same arithmetic,
of which they are made here where there is no GPU. Kernels are square, with an odd side.
"""

import tensorflow as tf


def normalized_convolution(parts, factor, offset, kernel):
    """As `densecolor.models.kernels.normalized_convolution`."""

    # All that the gradient needs is an argument: a function that reads variables would have to give theirs apart.
    @tf.custom_gradient
    def convolve(factor, offset, kernel, *parts):
        def gradient(upstream):
            return _gradients(upstream, factor, offset, kernel, parts)

        return tf.nn.conv2d(_rectify(_join(parts), factor, offset, kernel.dtype), kernel, 1, "SAME"), gradient

    return convolve(*map(tf.convert_to_tensor, (factor, offset, kernel, *parts)))


def channel_moments(x, dtype):
    """As `densecolor.models.kernels.channel_moments`."""

    @tf.custom_gradient
    def moments(x):
        mean, variance = tf.nn.moments(tf.cast(x, dtype), (0, 1, 2))

        def gradient(upstream):
            of_mean, of_variance = tf.unstack(upstream)
            count = tf.cast(tf.size(x) // tf.shape(x)[-1], dtype)
            slope = 2 * of_variance / count
            return tf.cast(tf.cast(x, dtype) * slope + (of_mean / count - mean * slope), x.dtype)

        return tf.stack([mean, variance]), gradient

    return moments(tf.convert_to_tensor(x))


def _gradients(upstream, factor, offset, kernel, parts):
    """Of factor, offset, kernel and each part."""
    # Without it TensorFlow would take the result of the forward pass, or compute it anew at once, and keep it.
    with tf.control_dependencies([upstream]):
        joined = tf.cast(_join(parts), factor.dtype)
        rectified = _rectify(joined, *_after(upstream, factor, offset), kernel.dtype)
    of_convolution = _by_convolutions if tf.config.list_physical_devices("GPU") else _by_products
    of_rectified, of_kernel = of_convolution(upstream, rectified, kernel)
    of_normalized = tf.cast(tf.raw_ops.ReluGrad(gradients=of_rectified, features=rectified), factor.dtype)
    of_factor = tf.reduce_sum(of_normalized * joined, (0, 1, 2))
    of_offset = tf.reduce_sum(of_normalized, (0, 1, 2))
    return of_factor, of_offset, of_kernel, *_split(tf.cast(of_normalized * factor, upstream.dtype), parts)


def _by_convolutions(upstream, rectified, kernel):
    """Gradients of a convolution's input and kernel by TensorFlow's own operations."""
    options = {"out_backprop": upstream, "strides": [1, 1, 1, 1], "padding": "SAME"}
    return (
        tf.raw_ops.Conv2DBackpropInput(input_sizes=tf.shape(rectified), filter=kernel, **options),
        tf.raw_ops.Conv2DBackpropFilter(input=rectified, filter_sizes=tf.shape(kernel), **options),
    )


def _by_products(upstream, rectified, kernel):
    """The same as two products of matrices with the neighbours of each pixel of `upstream`."""
    side, _, channels, filters = kernel.shape
    neighbours = tf.reshape(_neighbours(upstream, side), (-1, side * side * filters))
    flat = tf.reshape(tf.transpose(kernel, (2, 0, 1, 3)), (channels, -1))
    of_rectified = tf.reshape(tf.matmul(neighbours, flat, transpose_b=True), tf.shape(rectified))
    of_flat = tf.matmul(tf.reshape(rectified, (-1, channels)), neighbours, transpose_a=True)
    return of_rectified, tf.transpose(tf.reshape(of_flat, (channels, side, side, filters)), (1, 2, 0, 3))


def _neighbours(x, side):
    """The pixels that those of a kernel's output come from, beside each other: (batch, H, W, side * side * C)."""
    if side == 1:
        return x
    reach = side // 2
    height, width = tf.shape(x)[1], tf.shape(x)[2]
    padded = tf.pad(x, [[0, 0], [reach, reach], [reach, reach], [0, 0]])
    shifts = range(2 * reach, -1, -1)
    return tf.concat([padded[:, y : y + height, x : x + width] for y in shifts for x in shifts], axis=-1)


def _split(joined, parts):
    """What is of each part; `tf.split` is several times slower on a CPU."""
    found, start = [], 0
    for part in parts:
        found.append(joined[..., start : start + part.shape[-1]])
        start += part.shape[-1]
    return found


def _after(upstream, factor, offset):
    """Factor and offset in a form that XLA, which knows no control dependencies, takes for another one."""
    first = tf.cast(tf.reshape(upstream, (-1,))[:1], factor.dtype)
    zero = tf.where(first == first, tf.zeros_like(first), first)
    return factor + zero, offset + zero


def _join(parts):
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=-1)


def _rectify(joined, factor, offset, dtype):
    return tf.cast(tf.nn.relu(tf.cast(joined, factor.dtype) * factor + offset), dtype)
