"""The PyTorch release of SCGAN (repository `zhaoyuzhi/Semantic-Colorization-GAN`), its generator."""

import numpy as np

from densecolor import models
from densecolor.checkpoint.foreign.slots import Slot
from densecolor.checkpoint.foreign.slots import norm_slots
from densecolor.models.gray_vgg import CONVOLUTIONS
from densecolor.models.gray_vgg import WIDTHS
from densecolor.models.scgan import FILTERS

SALIENCY = {  # our name to theirs
    "saliency3_1": "conv11.conv2d",
    "saliency3_2": "conv12.conv2d",
    "saliency2_1": "conv2.conv2d",
    "saliency1_1": "conv3",
    "saliency": "conv4.conv2d",
    "saliency_output": "final",
}
FEATURES, ATTENTION = "global_feature_network", "attention_prediction_network"


def build(tensors):
    """The network whose widths the tensors have; without the saliency branch where the file has none.

    Args:
        tensors: dict of name to array.
    """

    def width(name, default):
        weight = tensors.get(f"{name}.conv2d.module.weight_bar")
        return default if weight is None else len(weight)

    filters = [width(f"down{level + 1}", published) for level, published in enumerate(FILTERS)]
    widths = [width(f"{FEATURES}.conv{level}_1", published) for level, published in enumerate(WIDTHS, start=1)]
    has_saliency = any(name.startswith(ATTENTION) for name in tensors)
    saliency_width = width(f"{ATTENTION}.conv3", 128)
    return models.create(
        "scgan", filters=filters, global_widths=widths, saliency=has_saliency, saliency_width=saliency_width
    )


def slots(model):
    """Where each tensor of the release goes.

    The release keeps each kernel before its division by the norm, and both vectors of the power iteration. Our layers
    need the kernel and one vector, and find the same norm from them in each call.

    Args:
        model: `SCGANColorizer`.

    Returns:
        dict of the release's name to `Slot`.
    """
    found, features = {}, model.get_layer("global_features")
    for level, count in enumerate(CONVOLUTIONS, start=1):
        for index in range(1, count + 1):
            name = "pool5" if (level, index) == (len(CONVOLUTIONS), count) else f"conv{level}_{index}"
            found |= _block(f"{FEATURES}.{name}", features, f"global{level}_{index}")
    count = len(model.filters)
    for level in range(count):
        found |= _block(f"down{level + 1}", model, f"encoder{level}")
    for level in range(count - 1):
        # What comes from the skip connection is first in the release, last in ours; the smallest size has none.
        skipped = 0 if level == count - 2 else model.filters[level + 1]
        found |= _block(f"up{count - 1 - level}.conv2d", model, f"decoder{level}", skipped)
    found |= _block(f"up{count}", model, "output", model.filters[0])
    if model.saliency:
        for name, place in SALIENCY.items():
            found |= _block(f"{ATTENTION}.{place}", model, name)
    return found


def _block(place, model, name, skipped=0):
    """A convolution with its vectors, and the normalisation after it if there is one."""
    layer = model.get_layer(f"{name}_conv")
    rows, columns, before, after = layer.kernel.shape

    def convert(weight):
        return np.roll(np.transpose(weight, (2, 3, 1, 0)), -skipped, axis=2)

    module = f"{place}.conv2d.module"
    found = {
        f"{module}.weight_bar": Slot(layer.kernel, (after, before, rows, columns), convert),
        f"{module}.weight_u": Slot(layer.vector, (after,)),
        f"{module}.weight_v": Slot(None, (before * rows * columns,)),
    }
    norms = [norm_slots(f"{place}.norm", norm) for norm in model.layers if norm.name == f"{name}_norm"]
    return found | (norms[0] if norms else {})
