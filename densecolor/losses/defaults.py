"""Which output of a model gets which loss."""

from densecolor.losses.ab_distribution import AbDistributionCrossentropy
from densecolor.losses.attention import AttentionLoss
from densecolor.losses.hue_chroma import HueChromaCrossentropy
from densecolor.losses.masks import MaskCrossentropy
from densecolor.losses.perceptual import ReconstructionLoss
from densecolor.losses.plain import COLOR_LOSSES
from densecolor.losses.plain import FlooredCrossentropy

# Outputs that `ab` is made from.
SOURCES_OF_AB = ("ab_distribution", "hue_chroma_distribution", "lab", "rgb")


def default_losses(output_names, label_smoothing=0.0, class_weights=None, ab_prior=None, perceptual=None, color="mse"):
    """A loss for each output of a model, for `model.compile(loss=...)`.

    Where a model predicts RGB or a distribution of colours, `ab` is only made from it and has the loss None: Keras then
    asks for its targets and measures its metrics, but trains nothing by it. A system may weigh its losses: give
    `compile` also `loss_weights={name: model.output_weights.get(name, 1.0) for name in model.output_names}`.

    Args:
        output_names: `model.output_names`.
        label_smoothing, class_weights: as in `FlooredCrossentropy`.
        ab_prior: share of each of the 313 bins in the training pictures, for `ab_distribution` (see
            `densecolor.inspection.ab_prior`); None weighs all bins alike.
        color: one of `COLOR_LOSSES`, the loss of `ab` where it is predicted as it is: "mse", or "mae" as in pix2pix.
        perceptual: `PerceptualLoss` to add, five times, to the loss of `rgb`; None for none.

    Returns:
        dict of output name to a new loss, or None. Their plain sum is what the papers train: in the dense-network
        paper its two parts are disjoint in their variables, so no weights between them are needed.

    Example:
        >>> default_losses(["ab", "ab_distribution"])["ab"] is None
        True
    """
    decoded = any(name in SOURCES_OF_AB for name in output_names)
    losses = {
        "ab": None if decoded else COLOR_LOSSES[color](),
        "ab_distribution": AbDistributionCrossentropy(ab_prior),
        "hue_chroma_distribution": HueChromaCrossentropy(),
        "lab": ReconstructionLoss(),
        "label": FlooredCrossentropy(label_smoothing, class_weights),
        "mask": MaskCrossentropy(),
        "masked_ab": AttentionLoss(norm=2),
        "masked_rgb": AttentionLoss(norm=1),
        "rgb": ReconstructionLoss(perceptual),
    }
    return {name: losses[name] for name in output_names}
