"""The hypercolumn colorizer of Larsson et al., 2016."""

import keras
import numpy as np
from keras import ops

from densecolor.color import denormalize_lightness
from densecolor.color import normalize_ab
from densecolor.color.hue_chroma import HISTOGRAM_BINS
from densecolor.color.ops import lightness_to_gray
from densecolor.color.ops import srgb_to_lab
from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer
from densecolor.models.hypercolumn_head import HypercolumnHead
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope

CONVOLUTIONS = (2, 2, 3, 3, 3)  # of VGG-16, at each size
GRAY_MEAN = 0.4488  # of the released network's training pictures
FADING = 0.03  # length of the hue's mean vector below which chroma fades
PRIMARY_HUES = np.float32([0, 1 / 3, 2 / 3])
# Centres of the hue's bins as points on the circle.
HUE_ANGLES = 2 * np.pi * (np.arange(HISTOGRAM_BINS) + 0.5) / HISTOGRAM_BINS
HUE_VECTORS = np.float32(np.stack([np.cos(HUE_ANGLES), np.sin(HUE_ANGLES)], axis=-1))


@keras.saving.register_keras_serializable(package="densecolor")
class HypercolumnColorizer(Colorizer):
    """VGG-16, all of whose layers are read at each pixel to predict histograms of hue and chroma.

    Larsson G., Maire M., Shakhnarovich G., "Learning Representations for Automatic Colorization", ECCV 2016, as its
    network trained from scratch: one input channel, BatchNormalization without trained values before each
    convolution's ReLU, fully connected layers as convolutions. The paper itself starts from VGG-16 trained on
    ImageNet and adapted to gray pictures, which is not reproduced. The hypercolumns are projected without being built,
    see `HypercolumnHead`. Sizes that are no multiple of 32 (16 without fully connected layers) are extended by their
    border and cut again. The paper defines gray as the mean of R, G and B; here it is the sRGB gray of the lightness.

    While training, only `samples` pixels of each picture are predicted; `ab` is gray elsewhere, so that only the
    measures of validation say how good the colours are.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `hue_chroma_distribution`, (batch, H, W, 2, 32), probabilities of 32 uniform bins
    of hue and of chroma (see `densecolor.color.hue_chroma`), zeros where nothing was sampled; `ab`, (batch, H, W, 2),
    ab / 128, of the median of chroma (between the bins' borders, in proportion) and the mean direction of hue, chroma
    fading where the hue is uncertain.

    Args:
        widths: tuple of five int, channels at each size.
        fc_width: int, channels of the two fully connected layers; 0 leaves them out.
        head_width: int, units of the hidden layer that reads the hypercolumn.
        samples: int, pixels of each picture that a training step reads.
        dropout: float, share of units that training leaves out, after fully connected layers and in the head.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `widths` are not five, or `samples` is less than 1.

    Example:
        >>> model = HypercolumnColorizer(widths=(4, 4, 4, 4, 4), fc_width=0, head_width=8)
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'hue_chroma_distribution': (1, 97, 131, 2, 32)}
    """

    def __init__(
        self,
        widths=(64, 128, 256, 512, 512),
        fc_width=4096,
        head_width=1024,
        samples=128,
        dropout=0.5,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="hypercolumn_colorizer",
    ):
        if len(widths) != len(CONVOLUTIONS):
            raise DensecolorError(f"`widths` must be {len(CONVOLUTIONS)} numbers. Received: {widths}.")
        if samples < 1:
            raise DensecolorError(f"`samples` must be at least 1. Received: {samples}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            gray = lightness_to_gray(denormalize_lightness(lightness)) - GRAY_MEAN
            maps = _apply_vgg(gray, widths, fc_width, dropout, sync_batchnorm)
            factors = [2**level for level in range(len(maps))]
            head = HypercolumnHead(factors, head_width, samples, dropout, name="hue_chroma_distribution")
            distribution = head([*maps, lightness])
            ab = HueChromaToAb(dtype="float32", name="ab")([distribution, lightness])
        outputs = {"ab": ab, "hue_chroma_distribution": distribution}
        super().__init__(lightness, outputs, policy, working_size, name)
        self.widths = tuple(widths)
        self.fc_width = fc_width
        self.head_width = head_width
        self.samples = samples
        self.dropout = dropout
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "widths": list(self.widths),
            "fc_width": self.fc_width,
            "head_width": self.head_width,
            "samples": self.samples,
            "dropout": self.dropout,
            "sync_batchnorm": self.sync_batchnorm,
        }


@keras.saving.register_keras_serializable(package="densecolor")
class HueChromaToAb(keras.layers.Layer):
    """One colour for the histograms of a pixel, at its gray."""

    def call(self, inputs):
        """Histograms (batch, H, W, 2, 32) and lightness (batch, H, W, 1) to ab / 128, (batch, H, W, 2)."""
        histograms, lightness = inputs
        gray = lightness_to_gray(denormalize_lightness(lightness))
        chroma = _median(histograms[..., 1, :])
        vector = ops.matmul(histograms[..., 0, :], HUE_VECTORS) / HISTOGRAM_BINS
        square = ops.sum(ops.square(vector), axis=-1, keepdims=True)
        # Where hues cancel out there is no direction; the chroma is nothing there, and the gradient must be finite.
        direction = ops.where(square > 1e-12, vector, np.float32([1, 0]))
        hue = ops.arctan2(direction[..., 1:], direction[..., :1]) / (2 * np.pi) % 1
        length = ops.sqrt(ops.maximum(square, 1e-12))
        rgb = _compose(hue, chroma * ops.minimum(length / FADING, 1), gray)
        return normalize_ab(srgb_to_lab(rgb)[..., 1:])

    def compute_output_shape(self, shapes):
        """A and b for each pixel."""
        return (*shapes[1][:-1], 2)


def _median(histogram):
    """Where half of a histogram over [0, 1] lies below: (..., 32) to (..., 1). 0 for a histogram of zeros."""
    sums = ops.cumsum(histogram, axis=-1)
    below = ops.cast(sums < 0.5, histogram.dtype)
    whole = ops.sum(below, axis=-1, keepdims=True)
    index = ops.cast(ops.minimum(whole, HISTOGRAM_BINS - 1), "int32")
    before = ops.sum(below * histogram, axis=-1, keepdims=True)
    share = ops.take_along_axis(histogram, index, axis=-1)
    median = (ops.cast(index, histogram.dtype) + ops.clip((0.5 - before) / ops.maximum(share, 1e-9), 0, 1)) / (
        HISTOGRAM_BINS
    )
    return median * sums[..., -1:]


def _compose(hue, chroma, gray):
    """The sRGB colour of a hue and a chroma whose mean of R, G and B is the gray, all (..., 1); clipped."""
    # 1 in the third of the circle around each primary, falling to 0 within a sixth.
    turns = ops.abs((ops.subtract(hue, PRIMARY_HUES) + 0.5) % 1 - 0.5)
    primaries = ops.clip(2 - 6 * turns, 0, 1)
    shifted = primaries - ops.mean(primaries, axis=-1, keepdims=True)
    return ops.clip(gray + chroma * shifted, 0, 1)


def _apply_vgg(gray, widths, fc_width, dropout, synchronized):
    """VGG-16; a map of all that a hypercolumn reads at each size, finest first."""
    x = PadToMultiple(2 ** (len(widths) - bool(not fc_width)), name="pad")(gray)
    maps = []
    for level, (count, width) in enumerate(zip(CONVOLUTIONS, widths, strict=True), start=1):
        taps = [x] if level == 1 else []
        if level > 1:
            x = keras.layers.MaxPooling2D(name=f"pool{level - 1}")(x)
        for index in range(1, count + 1):
            x = _apply_convolution(x, width, f"conv{level}_{index}", synchronized)
            taps.append(x)
        maps.append(keras.layers.Concatenate(name=f"taps{level}")(taps))
    if fc_width:
        x = keras.layers.MaxPooling2D(name=f"pool{len(widths)}")(x)
        taps = []
        for number, kernel_size in ((6, 7), (7, 1)):
            x = keras.layers.Conv2D(
                fc_width,
                kernel_size,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=f"fc{number}",
            )(x)
            x = keras.layers.Dropout(dropout, name=f"fc{number}_dropout")(x)
            taps.append(x)
        maps.append(keras.layers.Concatenate(name="taps_fc")(taps))
    return maps


def _apply_convolution(x, width, name, synchronized):
    x = keras.layers.Conv2D(width, 3, padding="same", kernel_initializer="he_normal", name=name)(x)
    x = keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM,
        epsilon=1e-5,
        center=False,
        scale=False,
        synchronized=synchronized,
        name=f"{name}_norm",
    )(x)
    return keras.layers.ReLU(name=f"{name}_relu")(x)
