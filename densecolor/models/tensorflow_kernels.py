"""TensorFlow's forms of `densecolor.models.kernels`, with gradients written out."""

import tensorflow as tf


def normalized_convolution(parts, factor, offset, kernel):
    """As `densecolor.models.kernels.normalized_convolution`."""

    # All that the gradient needs is an argument: a function that reads variables would have to give theirs apart.
    @tf.custom_gradient
    def convolve(factor, offset, kernel, *parts):
        def gradient(upstream):
            return _gradients(upstream, factor, offset, kernel, parts)

        return _convolve(_rectify(_join(parts), factor, offset, kernel.dtype), kernel), gradient

    return convolve(*map(tf.convert_to_tensor, (factor, offset, kernel, *parts)))


def _gradients(upstream, factor, offset, kernel, parts):
    """Of factor, offset, kernel and each part."""
    # Without it TensorFlow would take the result of the forward pass, or compute it anew at once, and keep it.
    with tf.control_dependencies([upstream]):
        joined = tf.cast(_join(parts), factor.dtype)
        rectified = _rectify(joined, *_after(upstream, factor, offset), kernel.dtype)
    shape = tf.shape(rectified)
    strides = [1, 1, 1, 1]
    of_kernel = tf.raw_ops.Conv2DBackpropFilter(
        input=rectified, filter_sizes=tf.shape(kernel), out_backprop=upstream, strides=strides, padding="SAME"
    )
    of_rectified = tf.raw_ops.Conv2DBackpropInput(
        input_sizes=shape, filter=kernel, out_backprop=upstream, strides=strides, padding="SAME"
    )
    of_normalized = tf.cast(tf.raw_ops.ReluGrad(gradients=of_rectified, features=rectified), factor.dtype)
    of_factor = tf.reduce_sum(of_normalized * joined, (0, 1, 2))
    of_offset = tf.reduce_sum(of_normalized, (0, 1, 2))
    of_joined = tf.cast(of_normalized * factor, upstream.dtype)
    of_parts = tf.split(of_joined, [part.shape[-1] for part in parts], axis=-1)
    return of_factor, of_offset, of_kernel, *of_parts


def _after(upstream, factor, offset):
    """Factor and offset in a form that XLA, which knows no control dependencies, takes for another one."""
    first = tf.cast(tf.reshape(upstream, (-1,))[:1], factor.dtype)
    zero = tf.where(first == first, tf.zeros_like(first), first)
    return factor + zero, offset + zero


def _join(parts):
    return parts[0] if len(parts) == 1 else tf.concat(parts, axis=-1)


def _rectify(joined, factor, offset, dtype):
    return tf.cast(tf.nn.relu(tf.cast(joined, factor.dtype) * factor + offset), dtype)


def _convolve(rectified, kernel):
    return tf.nn.conv2d(rectified, kernel, 1, "SAME")
