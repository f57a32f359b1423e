"""The generator of Zhu et al., 2017 (CycleGAN), which learns from pictures that do not belong together."""

import keras
from keras import ops

from densecolor.models.colorizer import Colorizer
from densecolor.models.convolutions import require_positive
from densecolor.models.discriminators import PictureNormalization
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.rgb_outputs import rgb_outputs

FILTERS = 64
BLOCKS = 9
CHANNELS = 3  # of gray pictures too, so that each network can be shown what the other one makes
# Halved twice, at least two rows are left, one of which can be reflected.
MULTIPLE = 8


@keras.saving.register_keras_serializable(package="densecolor")
class CycleGANColorizer(Colorizer):
    """Two convolutions down, residual blocks, two up, to RGB.

    Zhu J.-Y., Park T., Isola P., Efros A., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial
    Networks", ICCV 2017: reflected borders, instance normalisation without scale and offset, biases everywhere.
    11,378,179 parameters, the gray picture being repeated to three channels as the identity loss needs it.

    It is trained with a second network that goes back from colours to gray, by two discriminators and by how well a
    picture comes back after both ways; gray and colour pictures need not show the same
    (`densecolor.training.adversarial.CycleColorizer`, which `densecolor-train` uses for this model).

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W, which are extended by their border
        to multiples of 8 inside.
    Output: dict of float32 tensors: `rgb`, (batch, H, W, 3), sRGB in [0, 1]; `ab`, (batch, H, W, 2), ab / 128 of it.

    Args:
        filters: int, channels at the full size; twice and four times as many at the smaller ones.
        blocks: int, residual blocks.
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Attributes:
        translator: `keras.Model` from gray to colour pictures (batch, H, W, 3), both in [-1, 1]; H and W are multiples
            of 4.

    Raises:
        DensecolorError: a number is not positive.

    Example:
        >>> CycleGANColorizer(filters=4, blocks=1)(np.zeros((1, 97, 131, 1)))["rgb"].shape
        TensorShape([1, 97, 131, 3])
    """

    def __init__(
        self,
        filters=FILTERS,
        blocks=BLOCKS,
        working_size=256,
        dtype=None,
        name="cyclegan_colorizer",
    ):
        require_positive(filters=filters, blocks=blocks)
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            gray = keras.layers.Rescaling(2, -1, name="center")(to_gray(lightness))
            gray = ops.repeat(PadToMultiple(MULTIPLE, name="pad")(gray), CHANNELS, axis=-1)
            translator = create_translator(filters, blocks)
            rgb = keras.layers.Rescaling(0.5, 0.5, dtype="float32", name="to_unit")(translator(gray))
            outputs = rgb_outputs(rgb, lightness)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = filters
        self.blocks = blocks

    @property
    def translator(self):
        """The network inside, from gray to colours."""
        return self.get_layer("translator")

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {**super().get_config(), "filters": self.filters, "blocks": self.blocks}


def create_translator(filters=FILTERS, blocks=BLOCKS, name="translator"):
    """One of the two networks of CycleGAN.

    Args:
        filters, blocks: as in `CycleGANColorizer`.
        name: str.

    Returns:
        `keras.Model` from (batch, H, W, 3) to float32 (batch, H, W, 3), both in [-1, 1]; H and W are multiples of 4 of
        at least 8.
    """
    picture = x = keras.Input((None, None, CHANNELS), name="picture")
    x = _apply_reflected(x, filters, 7, "first")
    for index, width in enumerate((2 * filters, 4 * filters), start=1):
        part = f"down{index}"
        x = keras.layers.ZeroPadding2D(1, name=f"{part}_pad")(x)
        x = _norm_relu(keras.layers.Conv2D(width, 3, strides=2, name=f"{part}_conv", **_small())(x), part)
    for index in range(1, blocks + 1):
        part = f"block{index}"
        new = _apply_reflected(x, 4 * filters, 3, f"{part}_a")
        new = _apply_reflected(new, 4 * filters, 3, f"{part}_b", activated=False)
        x = keras.layers.Add(name=f"{part}_add")([x, new])
    for index, width in enumerate((2 * filters, filters), start=1):
        part = f"up{index}"
        x = keras.layers.Conv2DTranspose(width, 3, strides=2, name=f"{part}_conv", **_small())(x)
        # The first row is the border that the convolution on the way down had padded.
        x = _norm_relu(keras.layers.Cropping2D(((1, 0), (1, 0)), name=f"{part}_crop")(x), part)
    x = ReflectPad(3, name="output_pad")(x)
    x = keras.layers.Conv2D(CHANNELS, 7, activation="tanh", dtype="float32", name="output_conv", **_small())(x)
    return keras.Model(picture, x, name=name)


@keras.saving.register_keras_serializable(package="densecolor")
class ReflectPad(keras.layers.Layer):
    """Extend a picture on all sides by its own reflection; H and W must be above `border`.

    Args:
        border: int, pixels.
    """

    def __init__(self, border, **kwargs):
        super().__init__(**kwargs)
        self.border = border

    def call(self, x):
        """(batch, H, W, C) to (batch, H + 2 border, W + 2 border, C)."""
        sides = (self.border, self.border)
        return ops.pad(x, ((0, 0), sides, sides, (0, 0)), mode="reflect")

    def compute_output_shape(self, shape):
        """Larger by two borders; unknown sizes stay unknown."""
        height, width = (None if size is None else size + 2 * self.border for size in shape[1:3])
        return (shape[0], height, width, shape[3])

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "border": self.border}


def _apply_reflected(x, filters, kernel_size, name, activated=True):
    """A convolution with reflected borders and bias, instance normalisation[, ReLU]."""
    x = ReflectPad(kernel_size // 2, name=f"{name}_pad")(x)
    x = keras.layers.Conv2D(filters, kernel_size, name=f"{name}_conv", **_small())(x)
    return _norm_relu(x, name) if activated else PictureNormalization(scaled=False, name=f"{name}_norm")(x)


def _norm_relu(x, name):
    x = PictureNormalization(scaled=False, name=f"{name}_norm")(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _small():
    """The authors' initial weights."""
    return {"kernel_initializer": keras.initializers.RandomNormal(stddev=0.02)}
