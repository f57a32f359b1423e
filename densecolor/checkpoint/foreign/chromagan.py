"""The Keras 2 release of ChromaGAN (repository `pvitoria/ChromaGAN`), its colorization model."""

import re

from densecolor import models
from densecolor.checkpoint.foreign.slots import Slot
from densecolor.models.chromagan import TRUNK

# In the order in which the authors' program makes them, which is that of the numbers in Keras 2's names.
ORDER = {
    "conv2d": [
        *(f"global{index}_conv" for index in (1, 2, 3, 4)),
        "mid1_conv",
        "mid2_conv",
        "fusion_conv",
        "decoder1_1_conv",
        "decoder2_1_conv",
        "decoder2_2_conv",
        "decoder3_1_conv",
        "output_conv",
    ],
    "batch_normalization": [*(f"global{index}_norm" for index in (1, 2, 3, 4)), "mid1_norm", "mid2_norm"],
    "dense": ["global_fc1", "global_fc2", "global_fc3", "class_fc1", "class_fc2", "classes"],
}
NORM_VARIABLES = ("gamma", "beta", "moving_mean", "moving_variance")
NUMBERED = re.compile(r"(conv2d|batch_normalization|dense)(?:_(\d+))?/(\w+):0")


def build(tensors):
    """The network whose width and number of classes the tensors have, fed as the authors feed it.

    Args:
        tensors: dict of name to array, as `rename` gives it.
    """
    first, classes = tensors.get("block1_conv1/kernel:0"), tensors.get("classes/bias:0")
    width = 1.0 if first is None else first.shape[-1] / TRUNK[0][0]
    num_classes = 1000 if classes is None else classes.size
    flat = tensors.get("global_fc1/kernel:0")
    last = tensors.get("global4_conv/bias:0")
    size = 224
    if flat is not None and last is not None:
        size = 32 * round((len(flat) / last.size) ** 0.5)
    return models.create("chromagan", num_classes=num_classes, width=width, global_size=size, preprocessing="lightness")


def rename(tensors):
    """Our names of layers in place of Keras 2's, whose numbers depend on what was built before.

    Args:
        tensors: dict of the file's name, such as "conv2d_6/kernel:0", to array.

    Returns:
        The same arrays; names that are of no kind that we know stay as they are.
    """
    numbers = {kind: set() for kind in ORDER}
    for name in tensors:
        if match := NUMBERED.fullmatch(name):
            numbers[match[1]].add(int(match[2] or 0))
    places = {
        (kind, number): layer
        for kind, layers in ORDER.items()
        for number, layer in zip(sorted(numbers[kind]), layers, strict=False)
    }

    def renamed(name):
        match = NUMBERED.fullmatch(name)
        layer = match and places.get((match[1], int(match[2] or 0)))
        return f"{layer}/{match[3]}:0" if layer else name

    return {renamed(name): array for name, array in tensors.items()}


def slots(model):
    """Where each tensor of the release goes; they have Keras' own shapes.

    Args:
        model: `ChromaGANColorizer`.

    Returns:
        dict of the name after `rename` to `Slot`.
    """
    trunk = [
        f"block{block}_conv{index}" for block, row in enumerate(TRUNK, start=1) for index in range(1, len(row) + 1)
    ]
    found = {}
    for name in [*trunk, *ORDER["conv2d"], *ORDER["dense"]]:
        layer = model.get_layer(name)
        found[f"{name}/kernel:0"] = Slot(layer.kernel, tuple(layer.kernel.shape))
        found[f"{name}/bias:0"] = Slot(layer.bias, tuple(layer.bias.shape))
    for name in ORDER["batch_normalization"]:
        for variable in NORM_VARIABLES:
            value = getattr(model.get_layer(name), variable)
            found[f"{name}/{variable}:0"] = Slot(value, tuple(value.shape))
    return found
