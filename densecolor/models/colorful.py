"""The classifying colorizer of Zhang R. et al., 2016."""

import keras
from keras import ops

from densecolor.color import normalize_ab
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import TEMPERATURE
from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import CropLike
from densecolor.models.layers import Enlarge
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope

# Convolutions of blocks 1 to 7, the stride of each block's last one, and the dilation of all of a block's.
CONVOLUTIONS = (2, 2, 3, 3, 3, 3, 3)
STRIDES = (2, 2, 2, 1, 1, 1, 1)
DILATIONS = (1, 1, 1, 1, 2, 2, 1)
REDUCTION = 8  # of height and width in the middle
OUTPUT_STRIDE = 4  # of the distribution's pixels


@keras.saving.register_keras_serializable(package="densecolor")
class ColorfulColorizer(Colorizer):
    """Eight blocks of convolutions that classify the colour of each 4 x 4 pixels into 313 bins of a and b.

    Zhang R., Isola P., Efros A., "Colorful Image Colorization", ECCV 2016, as in the authors' PyTorch release, whose
    weights `densecolor-import colorful` reads: convolution, ReLU, and BatchNormalization at the end of blocks 1 to 7
    only; stride instead of pooling; dilation 2 in blocks 5 and 6; no skip connections. The release sees (L - 50) / 100,
    and so it is here. It starts the weights by k-means, which is not reproduced: here they start He-normal. Sizes that
    are no multiple of 8 are extended by their border and cut again.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128, the annealed mean of the distribution, enlarged
    bilinearly; `ab_distribution`, (batch, ceil(H / 4), ceil(W / 4), 313), probabilities of the bins
    `densecolor.color.ab_bins.AB_BINS`, not annealed.

    Args:
        filters: tuple of eight int, channels of each block.
        temperature: float in (0, 1], of the annealed mean: 1 gives the mean (gray, but never wrong by much), towards 0
            the most likely colour (vivid, but spotty).
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `filters` are not eight, or `temperature` is not in (0, 1].

    Example:
        >>> model = ColorfulColorizer(filters=(8,) * 8)
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'ab_distribution': (1, 25, 33, 313)}
    """

    def __init__(
        self,
        filters=(64, 128, 256, 512, 512, 512, 512, 256),
        temperature=TEMPERATURE,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="colorful_colorizer",
    ):
        if len(filters) != len(CONVOLUTIONS) + 1:
            raise DensecolorError(f"`filters` must be {len(CONVOLUTIONS) + 1} numbers. Received: {filters}.")
        if not 0 < temperature <= 1:
            raise DensecolorError(f"`temperature` must be above 0 and at most 1. Received: {temperature}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = keras.layers.Rescaling(0.5, name="scale")(PadToMultiple(REDUCTION, name="pad")(lightness))
            for number, width in enumerate(filters[:-1], start=1):
                x = _apply_block(x, width, number, sync_batchnorm)
            logits = _apply_last_block(x, filters[-1])
            outputs = bin_outputs(logits, lightness, temperature)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.temperature = temperature
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "temperature": self.temperature,
            "sync_batchnorm": self.sync_batchnorm,
        }


def bin_outputs(logits, lightness, temperature):
    """The outputs of a system that classifies colours at a quarter of the size: `ab` and `ab_distribution`.

    Args:
        logits: (batch, h, w, bins), what the network made of the padded picture.
        lightness: (batch, H, W, 1), the picture.
        temperature: float in (0, 1], at which colours are decoded.

    Returns:
        dict of output tensors, float32.
    """
    distribution = keras.layers.Softmax(dtype="float32", name="bins")(logits)
    shape_wanted = lightness[:, ::OUTPUT_STRIDE, ::OUTPUT_STRIDE]
    distribution = CropLike(dtype="float32", name="ab_distribution")([distribution, shape_wanted])
    ab = AnnealedMean(temperature, dtype="float32", name="decode")(logits)
    ab = Enlarge(OUTPUT_STRIDE, dtype="float32", name="enlarge")(ab)
    ab = CropLike(dtype="float32", name="ab")([ab, lightness])
    return {"ab": ab, "ab_distribution": distribution}


@keras.saving.register_keras_serializable(package="densecolor")
class AnnealedMean(keras.layers.Layer):
    """The colour of a distribution over the bins, as `densecolor.color.ab_bins.decode_ab`.

    The bins are a fixed weight, so that imported weights keep theirs.

    Args:
        temperature: float in (0, 1].
    """

    def __init__(self, temperature=TEMPERATURE, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature

    def build(self, shape):
        """Make the bins."""
        self.bins = self.add_weight(shape=AB_BINS.shape, initializer="zeros", trainable=False, name="bins")
        self.bins.assign(normalize_ab(AB_BINS))

    def call(self, logits):
        """Logits (batch, H, W, 313) to ab / 128, (batch, H, W, 2)."""
        return ops.matmul(ops.softmax(logits / self.temperature, axis=-1), self.bins)

    def compute_output_shape(self, shape):
        """The bins become a and b."""
        return (*shape[:-1], 2)

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "temperature": self.temperature}


def _apply_block(x, filters, number, synchronized):
    """Convolutions with ReLU, the last one with the block's stride; then BatchNormalization."""
    count, stride, dilation = CONVOLUTIONS[number - 1], STRIDES[number - 1], DILATIONS[number - 1]
    for index in range(1, count + 1):
        if index == count and stride > 1:
            # Keras' "same" would pad even sizes at the bottom and right only, and shift the picture by a pixel.
            x = keras.layers.ZeroPadding2D(1, name=f"conv{number}_{index}_pad")(x)
            x = _apply_convolution(x, filters, f"conv{number}_{index}", strides=stride, padding="valid")
        else:
            x = _apply_convolution(x, filters, f"conv{number}_{index}", dilation_rate=dilation)
    return keras.layers.BatchNormalization(
        momentum=NORM_MOMENTUM, epsilon=1e-5, synchronized=synchronized, name=f"conv{number}_norm"
    )(x)


def _apply_last_block(x, filters):
    """Twice the size, two more convolutions, and the logits of the bins, in float32."""
    x = keras.layers.Conv2DTranspose(
        filters, 4, 2, padding="same", activation="relu", kernel_initializer="he_normal", name="conv8_1"
    )(x)
    for index in (2, 3):
        x = _apply_convolution(x, filters, f"conv8_{index}")
    return keras.layers.Conv2D(len(AB_BINS), 1, dtype="float32", name="conv8_4")(x)


def _apply_convolution(x, filters, name, padding="same", **options):
    return keras.layers.Conv2D(
        filters, 3, padding=padding, activation="relu", kernel_initializer="he_normal", name=name, **options
    )(x)
