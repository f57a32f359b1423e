"""A residual U-Net that classifies colours: small and fast, for the model that comes with the package."""

import keras

from densecolor.color.ab_bins import AB_BINS
from densecolor.errors import DensecolorError
from densecolor.losses import AbDistributionCrossentropy
from densecolor.losses import ColorMSE
from densecolor.models.colorful import bin_outputs
from densecolor.models.colorizer import Colorizer
from densecolor.models.layers import Enlarge
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import spread_over

LEAST_SIZES = 2  # the second one is that of the colours
# Mean squared errors of ab / 128 are some hundredths, cross-entropies some units: so both teach.
AB_WEIGHT = 30.0


@keras.saving.register_keras_serializable(package="densecolor")
class ResUNetColorizer(Colorizer):
    """Residual blocks at falling sizes, back up to a quarter, and a distribution over 313 colours there.

    Ours, of known parts: a U-Net (Ronneberger et al., MICCAI 2015) of residual blocks before activation (He et al.,
    ECCV 2016) whose way back ends at a quarter of the size, with the colours of Zhang R. et al. (ECCV 2016). Nothing is
    normalised: each block's second convolution starts at zero, as in Zhang H. et al., "Fixup Initialization", ICLR
    2019, so that no moving statistics can be wrong for an unusual picture, and steps are cheap on a processor.

    It trains by two losses at once, which weigh all pixels alike: the cross-entropy of the distribution, and
    the mean squared error of the colour that is decoded from it at the temperature of training. A lower one, set after
    training, moves each colour from the mean towards the most likely one: gray where the network is not sure.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128, the annealed mean of the distribution, enlarged
    bilinearly; `ab_distribution`, (batch, ceil(H / 4), ceil(W / 4), 313), probabilities of the bins
    `densecolor.color.ab_bins.AB_BINS`, not annealed.

    Args:
        filters: tuple of two int or more, channels at a half, a quarter, an eighth, ... of the size.
        blocks: int, residual blocks at each size from a quarter on, on the way down; on the way back there is one.
        head_filters: int, channels from which the distribution is made.
        temperature: float in (0, 1], of the annealed mean (see `densecolor.color.ab_bins.decode_ab`).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `filters` are fewer than two, or `temperature` is not in (0, 1].

    Example:
        >>> model = ResUNetColorizer(filters=(4, 6, 8))
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'ab_distribution': (1, 25, 33, 313)}
    """

    def __init__(
        self,
        filters=(32, 64, 128, 192),
        blocks=2,
        head_filters=64,
        temperature=1.0,
        working_size=256,
        dtype=None,
        name="resunet_colorizer",
    ):
        if len(filters) < LEAST_SIZES:
            raise DensecolorError(f"`filters` must be {LEAST_SIZES} numbers or more. Received: {filters}.")
        if not 0 < temperature <= 1:
            raise DensecolorError(f"`temperature` must be above 0 and at most 1. Received: {temperature}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = PadToMultiple(2 ** len(filters), name="pad")(lightness)
            x, skips = _apply_encoder(x, filters, blocks)
            mean = keras.layers.GlobalAveragePooling2D(name="mean")(x)
            mean = keras.layers.Dense(filters[-1], activation="relu", name="global")(mean)
            x = _apply_decoder(x + spread_over(mean, x), skips)
            logits = _apply_head(x, head_filters)
            outputs = bin_outputs(logits, lightness, temperature)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.blocks = blocks
        self.head_filters = head_filters
        self.temperature = temperature

    @property
    def own_losses(self):
        """Both outputs are trained, and rare colours weigh no more than others."""
        return {"ab": ColorMSE(), "ab_distribution": AbDistributionCrossentropy(subsampling="average")}

    @property
    def output_weights(self):
        """Of the two losses."""
        return {"ab": AB_WEIGHT, "ab_distribution": 1.0}

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "blocks": self.blocks,
            "head_filters": self.head_filters,
            "temperature": self.temperature,
        }


def _apply_encoder(x, filters, blocks):
    """A step to half the size, then residual blocks, at each size; all from a quarter on but the last are kept."""
    skips = []
    for level, width in enumerate(filters):
        if level > 1:
            skips.append(x)
        x = _apply_convolution(_relu(x, f"down{level}") if level else x, width, f"down{level}", strides=2)
        for index in range(1, blocks + 1 if level else 1):
            x = _apply_block(x, f"encoder{level}_{index}")
    return x, skips


def _apply_decoder(x, skips):
    """Fewer channels, enlarge, add what is kept of the size, one block; up to a quarter of the picture."""
    for level, skip in reversed(list(enumerate(skips, start=1))):
        name = f"decoder{level}"
        x = _apply_convolution(_relu(x, f"{name}_reduce"), skip.shape[-1], f"{name}_reduce", kernel_size=1)
        x = _apply_block(Enlarge(2, name=f"{name}_up")(x) + skip, name)
    return x


def _apply_head(x, filters):
    """One more convolution, and the logits of the bins in float32; nearly even at first."""
    x = _apply_convolution(_relu(x, "head_in"), filters, "head")
    small = keras.initializers.RandomNormal(stddev=1e-3)
    logits = keras.layers.Conv2D(len(AB_BINS), 1, kernel_initializer=small, dtype="float32", name="logits")
    return logits(_relu(x, "head"))


def _apply_block(x, name):
    """[ReLU, 3x3, ReLU, 3x3] + x; the sum is x at first."""
    width = x.shape[-1]
    new = _apply_convolution(_relu(x, f"{name}_a"), width, f"{name}_a")
    return x + _apply_convolution(_relu(new, f"{name}_b"), width, f"{name}_b", initializer="zeros")


def _relu(x, name):
    return keras.layers.ReLU(name=f"{name}_relu")(x)


def _apply_convolution(x, filters, name, kernel_size=3, strides=1, initializer="he_normal"):
    if strides > 1:
        # Keras' "same" would pad even sizes at the bottom and right only, and shift the picture by a pixel.
        x = keras.layers.ZeroPadding2D(kernel_size // 2, name=f"{name}_pad")(x)
    return keras.layers.Conv2D(
        filters,
        kernel_size,
        strides=strides,
        padding="valid" if strides > 1 else "same",
        kernel_initializer=initializer,
        name=f"{name}_conv",
    )(x)
