"""The PyTorch release of Zhang R. et al., 2016 (repository `richzhang/colorization`, network `eccv16`)."""

import numpy as np

from densecolor import models
from densecolor.checkpoint.foreign.slots import Slot
from densecolor.checkpoint.foreign.slots import convolution_slots
from densecolor.checkpoint.foreign.slots import norm_slots
from densecolor.color import normalize_ab
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import GRID
from densecolor.errors import CheckpointError
from densecolor.models.colorful import CONVOLUTIONS

AB_NORM = 110  # the release's ab is ab / 110
LAST_BLOCK = 4  # convolutions of block 8, which has no normalisation


def build(tensors):
    """The published network, whatever the tensors. The release decodes by the plain mean: its temperature is 1 here."""
    return models.create("colorful", temperature=1.0)


def slots(model):
    """Where each tensor of the release goes.

    Its blocks are `nn.Sequential`s of convolution, ReLU, convolution, ReLU, ..., and BatchNorm2d last, so that the
    convolutions have the even places.

    Args:
        model: `ColorfulColorizer`.

    Returns:
        dict of the release's name to `Slot`.
    """
    found = {}
    for block, count in enumerate([*CONVOLUTIONS, LAST_BLOCK], start=1):
        for index in range(count):
            found |= convolution_slots(f"model{block}.{2 * index}", model.get_layer(f"conv{block}_{index + 1}"))
    for block, count in enumerate(CONVOLUTIONS, start=1):
        found |= norm_slots(f"model{block}.{2 * count}", model.get_layer(f"conv{block}_norm"))
    bins = model.get_layer("decode").bins
    found["model_out.weight"] = Slot(bins, (2, len(AB_BINS), 1, 1), _convert_bins)
    return found


def _convert_bins(weight):
    """The fixed weights of the decoding convolution, a and b / 110 of each bin, to ab / 128."""
    bins = AB_NORM * weight[:, :, 0, 0].T
    if np.abs(bins - AB_BINS).max() >= GRID / 2:
        raise CheckpointError(
            "The weights' 'model_out.weight' are not the published 313 bins of a and b / 110: the network was trained "
            f"with others. Its first bin is {bins[0].round(1).tolist()}, expected {AB_BINS[0].tolist()}."
        )
    return normalize_ab(bins)
