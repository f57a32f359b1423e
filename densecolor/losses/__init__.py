"""The losses of all colorizers, and which output gets which.

All reduce by `sum_over_batch_size`, so that padded rows (weight 0) add nothing and several replicas with equal shares
add up to what one replica computes.
"""

from densecolor.losses.ab_distribution import AbDistributionCrossentropy
from densecolor.losses.adversarial import ADVERSARIAL_OBJECTIVES
from densecolor.losses.adversarial import adversarial_objective
from densecolor.losses.attention import AttentionLoss
from densecolor.losses.attention import mask_colors
from densecolor.losses.defaults import default_losses
from densecolor.losses.hue_chroma import HueChromaCrossentropy
from densecolor.losses.masks import MaskCrossentropy
from densecolor.losses.perceptual import PerceptualLoss
from densecolor.losses.perceptual import ReconstructionLoss
from densecolor.losses.plain import COLOR_LOSSES
from densecolor.losses.plain import ColorMAE
from densecolor.losses.plain import ColorMSE
from densecolor.losses.plain import FlooredCrossentropy

__all__ = [
    "ADVERSARIAL_OBJECTIVES",
    "COLOR_LOSSES",
    "AbDistributionCrossentropy",
    "AttentionLoss",
    "ColorMAE",
    "ColorMSE",
    "FlooredCrossentropy",
    "HueChromaCrossentropy",
    "MaskCrossentropy",
    "PerceptualLoss",
    "ReconstructionLoss",
    "adversarial_objective",
    "default_losses",
    "mask_colors",
]
