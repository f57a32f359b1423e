"""TensorFlow's forms of `densecolor.models.kernels`, with gradients written out.

On a CPU the gradients of small convolutions take several times as long as products of matrices of the same arithmetic,
of which they are made here where there is no GPU. Kernels are square, with an odd side.
"""

import tensorflow as tf

ORIGIN = "_densecolor_origin"  # attribute of a tensor that is not stored: the `_Convolution` that makes it again


def normalized_convolution(parts, factor, offset, kernel, stored=True):
    """As `densecolor.models.kernels.normalized_convolution`."""
    parts = list(map(tf.convert_to_tensor, parts))
    sources = [getattr(part, ORIGIN, part) for part in parts]
    convolution = _Convolution(sources, *map(tf.convert_to_tensor, (factor, offset, kernel)))

    # Whatever has a gradient is an argument, in the order of `gradients`.
    @tf.custom_gradient
    def convolve(factor, offset, kernel, *parts):
        return tf.nn.conv2d(_rectify(_join(parts), factor, offset, kernel.dtype), kernel, 1, "SAME"), gradients

    def gradients(upstream):
        return convolution.gradients(upstream)

    output = convolve(convolution.factor, convolution.offset, convolution.kernel, *parts)
    if not stored:
        setattr(output, ORIGIN, convolution)
    return output


def channel_moments(x, dtype):
    """As `densecolor.models.kernels.channel_moments`."""
    origin = getattr(x, ORIGIN, None)

    @tf.custom_gradient
    def moments(x):
        mean, variance = tf.nn.moments(tf.cast(x, dtype), (0, 1, 2))

        def gradient(upstream):
            value = origin.output_again(upstream) if origin else x
            of_mean, of_variance = tf.unstack(upstream)
            count = tf.cast(tf.size(value) // tf.shape(value)[-1], dtype)
            slope = 2 * of_variance / count
            return tf.cast(tf.cast(value, dtype) * slope + (of_mean / count - mean * slope), value.dtype)

        return tf.stack([mean, variance]), gradient

    return moments(tf.convert_to_tensor(x))


def rectification(parts, factor, offset, dtype):
    """As `densecolor.models.kernels.rectification`."""

    @tf.custom_gradient
    def rectify(factor, offset, *parts):
        rectified = _rectify(_join(parts), factor, offset, dtype)

        def gradient(upstream):
            with tf.control_dependencies([upstream]):
                joined = tf.cast(_join(parts), factor.dtype)
            return _through_normalization(upstream, rectified, joined, factor, parts)

        return rectified, gradient

    return rectify(*map(tf.convert_to_tensor, (factor, offset, *parts)))


class _Convolution:
    """A normalised convolution that is done again in the backward pass, as far as that needs it, and once.

    Args:
        parts: list of tensors, or of `_Convolution` where the tensor is not stored.
        factor, offset, kernel: tensors.
    """

    def __init__(self, parts, factor, offset, kernel):
        self.factor, self.offset, self.kernel = factor, offset, kernel
        self._parts = parts
        self._inputs, self._outputs = {}, {}  # by the graph that a gradient is taken in

    def output_again(self, upstream):
        """The convolution's output, computed when `upstream`, a tensor of the backward pass, is there."""
        graph = tf.compat.v1.get_default_graph()
        if graph not in self._outputs:
            _, _, rectified = self._inputs_again(upstream)
            self._outputs[graph] = tf.nn.conv2d(rectified, self.kernel, 1, "SAME")
        return self._outputs[graph]

    def gradients(self, upstream):
        """Of factor, offset, kernel and each part."""
        parts, joined, rectified = self._inputs_again(upstream)
        of_convolution = _by_convolutions if tf.config.list_physical_devices("GPU") else _by_products
        of_rectified, of_kernel = of_convolution(upstream, rectified, self.kernel)
        of_factor, of_offset, *of_parts = _through_normalization(of_rectified, rectified, joined, self.factor, parts)
        return of_factor, of_offset, of_kernel, *of_parts

    def _inputs_again(self, upstream):
        """Parts, their concatenation, and what the convolution is of."""
        graph = tf.compat.v1.get_default_graph()
        if graph not in self._inputs:
            parts = [part.output_again(upstream) if isinstance(part, _Convolution) else part for part in self._parts]
            # Without it TensorFlow would take the result of the forward pass, or compute it anew at once, and keep it.
            with tf.control_dependencies([upstream]):
                joined = tf.cast(_join(parts), self.factor.dtype)
                rectified = _rectify(joined, *_after(upstream, self.factor, self.offset), self.kernel.dtype)
            self._inputs[graph] = parts, joined, rectified
        return self._inputs[graph]


def _through_normalization(upstream, rectified, joined, factor, parts):
    """Gradients of factor, offset and each part from that of what is normalised and rectified."""
    of_normalized = tf.cast(tf.raw_ops.ReluGrad(gradients=upstream, features=rectified), factor.dtype)
    of_factor = tf.reduce_sum(of_normalized * joined, (0, 1, 2))
    of_offset = tf.reduce_sum(of_normalized, (0, 1, 2))
    return of_factor, of_offset, *_split(tf.cast(of_normalized * factor, parts[0].dtype), parts)


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
