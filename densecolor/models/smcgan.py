"""The generator of Zhang Z. et al., 2022, reconstructed: colours and a spatial mask from one encoder."""

import keras

from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer
from densecolor.models.concrete_mask import TEMPERATURE
from densecolor.models.concrete_mask import ConcreteSample
from densecolor.models.concrete_mask import apply_mask_output
from densecolor.models.convolutions import require_positive
from densecolor.models.dense_block import apply_convolution
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import EnlargeNearest
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import norm_relu_layers
from densecolor.models.rgb_outputs import rgb_outputs
from densecolor.models.spectral import NEGATIVE_SLOPE
from densecolor.models.spectral import apply_norm_leaky

FILTERS = (64, 128, 256, 512, 512)
MASKED_WEIGHT = 0.5


@keras.saving.register_keras_serializable(package="densecolor")
class SMCGANColorizer(Colorizer):
    """A residual encoder, a decoder to RGB and a decoder to a spatial mask, for the foreground of medical pictures.

    Zhang Z., Li Y., Shin B.-S., "Robust Medical Image Colorization with Spatial Mask-Guided Generative Adversarial
    Network", Bioengineering 9(12):721, 2022.

    **The layers are our reconstruction.** What could be read: an auxiliary branch that segments the foreground stands
    beside the colorization; its spatial masks take the background out of the coloured pictures; one discriminator
    judges the coloured, another the masked pictures; the references name U-Net, residual networks, the concrete
    distribution and SMSR's sparse masks. Not known: every layer, width, loss weight and schedule. Ours: five sizes of
    convolutions without bias, BatchNormalization and LeakyReLU, `blocks` residual blocks at a sixteenth, two decoders
    with skip connections, the mask's half as wide; 30,601,029 parameters.

    The mask is a Gumbel-softmax over foreground and background: `masked_rgb` is the picture times a sample of it in
    training, times the likelier of the two otherwise. Its temperature is fixed. `mask` itself are the probabilities,
    which have a loss where the pictures are packed with masks; without masks, `guide="concrete"` holds them to the
    share of the pictures that the foreground has, and the masked pictures' loss decides where it lies.

    The paper's ablations: without the mask is `mask=False`; without colour `color=False`; gan1 and gan2 are the
    weights of the two discriminators in training.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `rgb`, (batch, H, W, 3), sRGB in [0, 1]; `ab`, (batch, H, W, 2), ab / 128 of it;
        and with a mask `mask`, (batch, H, W, 1) in [0, 1], and `masked_rgb`, (batch, H, W, 3).

    Args:
        filters: tuple of at least two int, channels at each size, from the full one down; each next size is half.
        blocks: int, residual blocks at the smallest size.
        mask: bool, predict the mask.
        guide: "supervised" by the pictures' masks, or "concrete", by `mask_share`.
        mask_share: float in (0, 1), of "concrete": the share of the pictures that is foreground.
        share_weight, smoothness: float, of "concrete": weights of `MaskBudget`.
        temperature: float > 0, of the samples in training.
        color: bool. False gives the losses of colours the weight 0; the network is the same.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `guide` is not among its choices, or a number is out of range.

    Example:
        >>> model = SMCGANColorizer(filters=(4, 8), blocks=1)
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'mask': (1, 97, 131, 1), 'masked_rgb': (1, 97, 131, 3), 'rgb': (1, 97, 131, 3)}
    """

    def __init__(
        self,
        filters=FILTERS,
        blocks=4,
        mask=True,
        guide="supervised",
        mask_share=0.4,
        share_weight=0.1,
        smoothness=0.01,
        temperature=TEMPERATURE,
        color=True,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="smcgan_colorizer",
    ):
        require_positive(blocks=blocks)
        if len(filters) < 2:
            raise DensecolorError(f"`filters` must be at least 2 numbers. Received: {filters}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            gray = keras.layers.Rescaling(2, -1, name="center")(to_gray(lightness))
            x = PadToMultiple(2 ** (len(filters) - 1), name="pad")(gray)
            x, skips = _apply_encoder(x, filters, blocks, sync_batchnorm)
            rgb = _apply_color(x, skips, sync_batchnorm)
            masks = (None, None)
            if mask:
                logits = _apply_logits(x, skips, sync_batchnorm)
                probability, logits = apply_mask_output(logits, lightness, guide, mask_share, share_weight, smoothness)
                masks = probability, ConcreteSample(temperature, dtype="float32", name="mask_sample")(logits)
            outputs = rgb_outputs(rgb, lightness, *masks)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.blocks = blocks
        self.mask = mask
        self.guide = guide
        self.mask_share = mask_share
        self.share_weight = share_weight
        self.smoothness = smoothness
        self.temperature = temperature
        self.color = color
        self.sync_batchnorm = sync_batchnorm

    @property
    def output_weights(self):
        """Our weights of the losses; without colour, only the mask's is left."""
        return {"rgb": float(self.color), "masked_rgb": MASKED_WEIGHT * self.color, "mask": 1.0}

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "blocks": self.blocks,
            "mask": self.mask,
            "guide": self.guide,
            "mask_share": self.mask_share,
            "share_weight": self.share_weight,
            "smoothness": self.smoothness,
            "temperature": self.temperature,
            "color": self.color,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_encoder(x, filters, blocks, synchronized):
    """One convolution at each size, residual blocks at the last; all sizes but the last give a skip connection."""
    encoded = []
    for level, width in enumerate(filters):
        kernel_size, strides = (3, 2) if level else (7, 1)
        x = apply_convolution(x, width, kernel_size, f"encoder{level}", strides, centered=True)
        x = apply_norm_leaky(x, f"encoder{level}", synchronized=synchronized)
        encoded.append(x)
    for index in range(1, blocks + 1):
        x = _apply_block(x, f"block{index}", synchronized)
    return x, encoded[:-1]


def _apply_block(x, name, synchronized):
    """[3x3, BN, LeakyReLU, 3x3, BN] + its input, LeakyReLU."""
    new = apply_convolution(x, x.shape[-1], 3, f"{name}_a")
    new = apply_norm_leaky(new, f"{name}_a", synchronized=synchronized)
    new = apply_convolution(new, x.shape[-1], 3, f"{name}_b")
    norm, _ = norm_relu_layers(name, synchronized)
    new = norm(new)
    return keras.layers.LeakyReLU(negative_slope=NEGATIVE_SLOPE, name=f"{name}_leaky")(new + x)


def _apply_decoder(x, skips, share, name, synchronized):
    """Enlarge, one convolution of a `share`-th of the skip connection's channels, join it; up to the full size."""
    for level, skip in reversed(list(enumerate(skips))):
        part = f"{name}{level}"
        x = EnlargeNearest(2, name=f"{part}_up")(x)
        x = apply_convolution(x, max(1, skip.shape[-1] // share), 3, part)
        x = apply_norm_leaky(x, part, synchronized=synchronized)
        x = keras.layers.Concatenate(name=f"{part}_join")([x, skip])
    return x


def _apply_color(x, skips, synchronized):
    """RGB in [0, 1], at the size of the padded picture."""
    x = _apply_decoder(x, skips, 1, "color", synchronized)
    rgb = keras.layers.Conv2D(3, 3, padding="same", activation="tanh", dtype="float32", name="output_conv")(x)
    return keras.layers.Rescaling(0.5, 0.5, dtype="float32", name="to_unit")(rgb)


def _apply_logits(x, skips, synchronized):
    """Logits of foreground against background, at the size of the padded picture."""
    x = _apply_decoder(x, skips, 2, "mask_decoder", synchronized)
    logits = keras.layers.Conv2D(2, 3, padding="same", dtype="float32", name="mask_conv")(x)
    # A softmax over two classes is the sigmoid of their difference.
    return logits[..., :1] - logits[..., 1:]
