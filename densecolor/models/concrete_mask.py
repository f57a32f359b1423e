"""Spatial masks from logits: probabilities, their concrete relaxation, and the share of the picture they may have."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.layers import CropLike

GUIDES = ("supervised", "concrete")
TEMPERATURE = 2 / 3  # what Maddison et al. recommend for two classes
SMALLEST = 1e-6  # of a uniform number whose logarithm is taken


@keras.saving.register_keras_serializable(package="densecolor")
class ConcreteSample(keras.layers.Layer):
    """A binary mask, relaxed so that gradients go through: between 0 and 1 in training, exactly 0 or 1 otherwise.

    Maddison, Mnih, Teh, "The Concrete Distribution", ICLR 2017; Jang, Gu, Poole, "Categorical Reparameterization with
    Gumbel-Softmax", ICLR 2017. With logits l, a temperature t and u drawn evenly from (0, 1) for each pixel and step,
    training gives sigmoid((l + log u - log(1 - u)) / t), a Gumbel-softmax over two classes. Otherwise the likelier of
    the two is taken, without chance.

    Args:
        temperature: float > 0; towards 0 the samples become binary, and the gradients noisy.

    Raises:
        DensecolorError: `temperature` is not positive.
    """

    def __init__(self, temperature=TEMPERATURE, **kwargs):
        super().__init__(**kwargs)
        if not temperature > 0:
            raise DensecolorError(f"`temperature` must be positive. Received: {temperature}.")
        self.temperature = temperature
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, logits, training=None):
        """Logits of being foreground, any shape, to a mask of the same shape."""
        if not training:
            return ops.cast(logits > 0, logits.dtype)
        drawn = keras.random.uniform(
            ops.shape(logits), SMALLEST, 1 - SMALLEST, dtype=logits.dtype, seed=self.seed_generator
        )
        return ops.sigmoid((logits + ops.log(drawn) - ops.log(1 - drawn)) / self.temperature)

    def compute_output_shape(self, shape):
        """That of the logits."""
        return shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "temperature": self.temperature}


@keras.saving.register_keras_serializable(package="densecolor")
class MaskBudget(keras.layers.Layer):
    """Passes a mask on, and in training adds to the loss how far it is above its share of the picture.

    With the mean m of the mask over the batch and its pixels, the loss is

        weight * max(m - share, 0) + smoothness * (mean |difference to the pixel below| + mean |... to the right|)

    The first term is the sparsity of Wang et al., "Exploring Sparsity in Image Super-Resolution for Efficient
    Inference" (SMSR), CVPR 2021, up to a share; the second is total variation. A mask below its share is left alone: to
    raise it would be to raise it in the background, where nothing holds against it. Pictures that only fill up a batch
    count too.

    Args:
        share: float in (0, 1).
        weight, smoothness: float >= 0.

    Raises:
        DensecolorError: `share` is not between 0 and 1, or a weight is negative.
    """

    def __init__(self, share, weight=0.1, smoothness=0.01, **kwargs):
        super().__init__(**kwargs)
        if not 0 < share < 1:
            raise DensecolorError(f"`mask_share` must be above 0 and below 1. Received: {share}.")
        if weight < 0 or smoothness < 0:
            raise DensecolorError(f"Weights must not be negative. Received: {weight}, smoothness={smoothness}.")
        self.share = share
        self.weight = weight
        self.smoothness = smoothness

    def call(self, x, training=None):
        """A mask (batch, H, W, 1) to the same."""
        if training:
            loss = self.weight * ops.relu(ops.mean(x) - self.share)
            self.add_loss(loss + self.smoothness * (_variation(x, 1) + _variation(x, 2)))
        return x

    def compute_output_shape(self, shape):
        """That of the mask."""
        return shape

    def get_config(self):
        """The constructor's arguments."""
        return {**super().get_config(), "share": self.share, "weight": self.weight, "smoothness": self.smoothness}


def apply_mask_output(logits, lightness, guide, share, share_weight, smoothness):
    """The output `mask` from logits of being foreground.

    Args:
        logits: float32 (batch, H', W', 1), at the size of the padded picture.
        lightness: (batch, H, W, 1), the picture.
        guide: "supervised", the mask learns from the data alone; or "concrete", `MaskBudget` guides it too.
        share, share_weight, smoothness: of the `MaskBudget`.

    Returns:
        (mask, logits): float32 (batch, H, W, 1) probabilities of being foreground, by a layer "mask"; and the logits,
        cut to the picture.

    Raises:
        DensecolorError: `guide` is not among its choices, or as `MaskBudget`.
    """
    require_choice("guide", guide, GUIDES)
    logits = CropLike(dtype="float32", name="mask_logits")([logits, lightness])
    is_free = guide == "concrete"
    name = "mask_probability" if is_free else "mask"
    mask = keras.layers.Activation("sigmoid", dtype="float32", name=name)(logits)
    if is_free:
        mask = MaskBudget(share, share_weight, smoothness, dtype="float32", name="mask")(mask)
    return mask, logits


def _variation(mask, axis):
    """Mean absolute difference of neighbours along an axis; 0 for a mask of a single row or column."""
    ahead, behind = (mask[:, 1:], mask[:, :-1]) if axis == 1 else (mask[:, :, 1:], mask[:, :, :-1])
    total = ops.sum(ops.abs(ahead - behind))
    return total / ops.cast(ops.maximum(ops.size(ahead), 1), mask.dtype)
