"""The PyTorch port of pix2pix (repository `junyanz/pytorch-CycleGAN-and-pix2pix`), its generator `unet_256` and kin."""

from densecolor import models
from densecolor.checkpoint.foreign.slots import convolution_slots
from densecolor.checkpoint.foreign.slots import norm_slots
from densecolor.models.pix2pix import FILTERS

INNER = "model.model.1.model"  # of the second size; each smaller one lies inside the one before
COLORS = {2: "ab", 3: "rgb"}


def build(tensors):
    """The network whose widths the tensors have: the port's `ngf` and number of sizes may be others than published.

    Args:
        tensors: dict of name to array.
    """
    filters = []
    for level in range(1, len(FILTERS) + 1):
        weight = tensors.get(f"{_place(level)}.{_down(level)}.weight")
        if weight is None or weight.ndim != 4:
            break
        filters.append(len(weight))
    last = tensors.get("model.model.3.bias")
    colors = COLORS.get(0 if last is None else last.size, "ab")
    return models.create("pix2pix", filters=filters if len(filters) > 1 else FILTERS, colors=colors)


def slots(model):
    """Where each tensor of the port goes.

    A size of its U-Net is an `nn.Sequential` of LeakyReLU, convolution, BatchNorm2d, the next smaller size, ReLU,
    transposed convolution, BatchNorm2d; the first and the last size lack some.

    Args:
        model: `Pix2PixColorizer`.

    Returns:
        dict of the port's name to `Slot`.
    """
    count = len(model.filters)
    found = {}
    for level in range(1, count + 1):
        place, is_last = _place(level), level == count
        found |= convolution_slots(f"{place}.{_down(level)}", model.get_layer(f"encoder{level}_conv"))
        if 1 < level < count:
            found |= norm_slots(f"{place}.2", model.get_layer(f"encoder{level}_norm"))
        up = 3 if level in (1, count) else 5
        name = f"decoder{level - 1}" if level > 1 else "output"
        found |= convolution_slots(f"{place}.{up}", model.get_layer(f"{name}_conv"))
        if level > 1:
            found |= norm_slots(f"{place}.{4 if is_last else 6}", model.get_layer(f"{name}_norm"))
    return found


def _place(level):
    return "model.model" if level == 1 else INNER + ".3.model" * (level - 2)


def _down(level):
    return 0 if level == 1 else 1
