"""Networks that judge colours, for adversarial training. They are no colorizers, so the registry does not list them."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.layers import dtype_scope

MAX_FILTERS_FACTOR = 8  # of the widest layer, in units of the first one's
COLOR_CHANNELS = {"ab": 2, "lab": 3, "rgb": 3}  # what colours may be judged in
SLOPE = 0.2  # of the leaky ReLU below zero


def _instance_norm(name, synchronized):
    return PictureNormalization(each_channel=True, name=name)


def _plain_instance_norm(name, synchronized):
    return PictureNormalization(scaled=False, name=name)


def _layer_norm(name, synchronized):
    return PictureNormalization(each_channel=False, name=name)


def _batch_norm(name, synchronized):
    # A discriminator is only used in training, so no moving statistics are kept: the momentum of 1 leaves them alone.
    return keras.layers.BatchNormalization(momentum=1.0, epsilon=1e-5, synchronized=synchronized, name=name)


NORM_LAYERS = {
    "none": None,
    "batch": _batch_norm,
    "instance": _instance_norm,
    "instance_plain": _plain_instance_norm,
    "layer": _layer_norm,
}
NORMALIZATIONS = tuple(NORM_LAYERS)


@keras.saving.register_keras_serializable(package="densecolor")
class SpectralConv2D(keras.layers.Conv2D):
    """A convolution whose kernel is divided by its largest singular value.

    Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018: the kernel as a matrix
    (its inputs, the output channels) is divided by sigma = u W v, whose vectors come from a power iteration and are
    constants to the gradient. Keras' own `SpectralNormalization` writes the divided kernel into the variable that the
    optimizer trains, and each forward pass iterates; here a pass changes nothing, and `iterate` is called once before
    each step of the discriminator, as in the paper's algorithm.

    Args:
        *args, **kwargs: as `keras.layers.Conv2D`.

    Example:
        >>> layer = SpectralConv2D(8, 4)
        >>> layer.build((None, 16, 16, 3))
        >>> layer.iterate()
    """

    def build(self, input_shape):
        """Make the kernel and a first vector."""
        super().build(input_shape)
        # The same on all replicas, since all have the same kernel.
        self.vector = self.add_weight(
            shape=(1, self.filters),
            initializer="random_normal",
            trainable=False,
            dtype="float32",
            aggregation="only_first_replica",
            autocast=False,
            name="vector",
        )

    def iterate(self):
        """One power iteration."""
        _, vector = self._vectors(self._matrix())
        self.vector.assign(vector)

    def convolution_op(self, inputs, kernel):
        """The convolution with the divided kernel."""
        matrix = self._matrix()
        left, right = (ops.stop_gradient(vector) for vector in self._vectors(matrix))
        sigma = ops.sum(ops.matmul(left, matrix) * right)
        return super().convolution_op(inputs, kernel / ops.cast(sigma, kernel.dtype))

    def _matrix(self):
        return ops.cast(ops.reshape(self.kernel, (-1, self.filters)), "float32")

    def _vectors(self, matrix):
        """The singular vectors as far as the iteration has come: (1, inputs) and (1, filters)."""
        left = _normalized(ops.matmul(self.vector, ops.transpose(matrix)))
        return left, _normalized(ops.matmul(left, matrix))


def _normalized(vector):
    return vector / (ops.norm(vector) + 1e-12)


@keras.saving.register_keras_serializable(package="densecolor")
class PictureNormalization(keras.layers.Layer):
    """Subtract the mean of a picture's features, divide by their standard deviation; scale and offset each channel.

    Keras' `GroupNormalization` gives the same values and gradients, but on TensorFlow wrong gradients of gradients, by
    about 1 %: `tf.nn.moments` takes the mean in the variance for a constant, which only the first derivative allows.
    The gradient penalty of WGAN-GP needs the second.

    Args:
        each_channel: bool, over the pixels of each channel (Ulyanov et al., "Instance Normalization", 2016), or over
            those of all channels together (Ba et al., "Layer Normalization", 2016).
        epsilon: float, added to the variance.
        scaled: bool, whether there are scale and offset.

    Example:
        >>> float(np.std(PictureNormalization()(np.random.normal(3, 2, (1, 8, 8, 1)))))  # nearly 1
        0.9999987
    """

    def __init__(self, each_channel=True, epsilon=1e-5, scaled=True, **kwargs):
        super().__init__(**kwargs)
        self.each_channel = each_channel
        self.epsilon = epsilon
        self.scaled = scaled

    def build(self, input_shape):
        """Make scale and offset."""
        if not self.scaled:
            return
        self.scale = self.add_weight(shape=(input_shape[-1],), initializer="ones", name="scale")
        self.offset = self.add_weight(shape=(input_shape[-1],), initializer="zeros", name="offset")

    def call(self, x):
        """(batch, H, W, C) to the same."""
        axes = (1, 2) if self.each_channel else (1, 2, 3)
        # Squares overflow in float16.
        exact = x if self.compute_dtype == "float64" else ops.cast(x, "float32")
        centered = exact - ops.mean(exact, axis=axes, keepdims=True)
        variance = ops.mean(ops.square(centered), axis=axes, keepdims=True)
        normalized = ops.cast(centered * ops.rsqrt(variance + self.epsilon), x.dtype)
        return normalized * self.scale + self.offset if self.scaled else normalized

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "each_channel": self.each_channel,
            "epsilon": self.epsilon,
            "scaled": self.scaled,
        }


@keras.saving.register_keras_serializable(package="densecolor")
class PatchDiscriminator(keras.Model):
    """The PatchGAN: a score for every patch of a colour picture, given its lightness.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017: `layers` convolutions
    4x4 of stride 2, the first of `filters` channels, each next one of twice as many up to 8 times as many; one of
    stride 1; and one to the score. All but the first and last are normalised, all but the last have a leaky ReLU.
    3 layers see patches of 70 x 70 pixels, 2 of 34, 1 of 16.

    Input: dict with `lightness` (batch, H, W, 1), L / 50 - 1, and `ab` (batch, H, W, 2), ab / 128, `lab` (batch, H, W,
    3), L / 50 - 1 and ab / 128, or `rgb` (batch, H, W, 3), sRGB in [0, 1]; where `sees_mask` also `mask` (batch, H, W,
    1) in [0, 1]. H and W at least `smallest_size(layers)`.
    Output: scores, float32 (batch, h, w, 1), unbounded.

    Args:
        sees_mask: bool, whether the mask is part of the input.
        colors: "ab", "lab" or "rgb".
        layers: int, halvings.
        filters: int, channels of the first convolution.
        normalization: "none", "batch" (the paper's), "instance", "instance_plain" (without scale and offset, and with
            biases before it, as CycleGAN has it) or "layer". The last three look at one picture at a time, as the
            gradient penalty of WGAN-GP wants it.
        spectral: bool, divide each kernel by its largest singular value.
        synchronized: bool, batch statistics over all replicas (TensorFlow only).
        sees_lightness: bool, whether lightness is part of the input.
        dtype: dtype policy or its name, None for the global one; the score is float32.
        name: str.

    Raises:
        DensecolorError: an argument is out of range.

    Example:
        >>> inputs = {"lightness": np.zeros((1, 256, 256, 1)), "ab": np.zeros((1, 256, 256, 2))}
        >>> PatchDiscriminator()(inputs).shape
        TensorShape([1, 30, 30, 1])
    """

    def __init__(
        self,
        sees_mask=False,
        colors="ab",
        layers=3,
        filters=64,
        normalization="instance",
        spectral=False,
        synchronized=False,
        sees_lightness=True,
        dtype=None,
        name="patch_discriminator",
    ):
        require_choice("colors", colors, COLOR_CHANNELS)
        require_choice("normalization", normalization, NORMALIZATIONS)
        for argument, value in (("layers", layers), ("filters", filters)):
            if not (isinstance(value, int) and value >= 1):
                raise DensecolorError(f"`{argument}` must be an integer of at least 1. Received: {value!r}.")
        with dtype_scope(dtype) as policy:
            channels = input_channels(colors, sees_mask, sees_lightness)
            inputs = {part: keras.Input((None, None, count), name=part) for part, count in channels.items()}
            x = keras.layers.Concatenate(name="joined")(list(inputs.values()))
            widths = [filters * min(2**layer, MAX_FILTERS_FACTOR) for layer in range(layers + 1)]
            for index, width in enumerate(widths):
                strides = 2 if index < layers else 1
                norm = NORM_LAYERS[normalization] if index else None
                has_bias = norm is None or normalization == "instance_plain"
                x = _apply_convolution(x, width, strides, spectral, has_bias, f"conv{index + 1}")
                if norm is not None:
                    x = norm(f"norm{index + 1}", synchronized)(x)
                x = keras.layers.LeakyReLU(SLOPE, name=f"relu{index + 1}")(x)
            scores = _apply_convolution(x, 1, 1, spectral, True, "scores", dtype="float32")
        super().__init__(inputs, scores, name=name)
        self.dtype_policy = policy
        self.sees_mask = sees_mask
        self.colors = colors
        self.layer_count = layers
        self.filters = filters
        self.normalization = normalization
        self.spectral = spectral
        self.synchronized = synchronized
        self.sees_lightness = sees_lightness

    def iterate(self):
        """One power iteration of each spectral normalisation; call it before each training step."""
        for layer in self.layers:
            if isinstance(layer, SpectralConv2D):
                layer.iterate()

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            "sees_mask": self.sees_mask,
            "colors": self.colors,
            "layers": self.layer_count,
            "filters": self.filters,
            "normalization": self.normalization,
            "spectral": self.spectral,
            "synchronized": self.synchronized,
            "sees_lightness": self.sees_lightness,
            "dtype": self.dtype_policy.name,
            "name": self.name,
        }


def input_channels(colors, sees_mask, sees_lightness=True):
    """What a `PatchDiscriminator` takes.

    Args:
        colors: "ab", "lab" or "rgb".
        sees_mask: bool.
        sees_lightness: bool.

    Returns:
        dict of input name to channels.

    Example:
        >>> input_channels("ab", sees_mask=True)
        {'lightness': 1, 'ab': 2, 'mask': 1}
    """
    seen = {"lightness": sees_lightness, colors: True, "mask": sees_mask}
    return {name: {"lightness": 1, "mask": 1, **COLOR_CHANNELS}[name] for name in seen if seen[name]}


def smallest_size(layers):
    """The smallest height and width that a `PatchDiscriminator` can judge: one patch.

    Example:
        >>> smallest_size(3)
        24
    """
    return 3 * 2**layers


def _apply_convolution(x, filters, strides, spectral, use_bias, name, dtype=None):
    """A 4x4 convolution after one row of zeros on each side, as Torch pads, and not as Keras does."""
    x = keras.layers.ZeroPadding2D(1, dtype=dtype, name=f"{name}_pad")(x)
    convolution = SpectralConv2D if spectral else keras.layers.Conv2D
    return convolution(
        filters,
        4,
        strides=strides,
        use_bias=use_bias,
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.02),
        dtype=dtype,
        name=name,
    )(x)
