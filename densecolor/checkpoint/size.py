"""How large a described model is at least, known before anything of it is built."""

import inspect
import itertools

from densecolor.models import BRANCHES
from densecolor.models import ColorfulColorizer
from densecolor.models import DenseColorizer
from densecolor.models import HypercolumnColorizer
from densecolor.models import UNetColorizer
from densecolor.models.dense_block import BOTTLENECK


def least_parameters(model_class, arguments):
    """Count the weights of a model's widest layers.

    The whole model has a few times as many, and at most some 200 million beside them.

    Args:
        model_class: a class of `densecolor.models`.
        arguments: dict of arguments for it.

    Returns:
        int, a lower bound of `model.count_params()`.

    Example:
        >>> least_parameters(UNetColorizer, {"filters": [32, 64]})
        46080
    """
    parameters = inspect.signature(model_class).parameters.values()
    options = {parameter.name: parameter.default for parameter in parameters} | arguments
    return LEAST[model_class](options)


def _dense(options):
    # Each layer of a dense block reads growth_rate channels of each one before it.
    pairs = options["layers_per_block"] * (options["layers_per_block"] - 1) // 2
    blocks = 4 * pairs * BOTTLENECK * options["growth_rate"] ** 2
    # The networks reduce a picture 32 times, or a little more without padding, to 512 channels or more.
    side = (options["branch_size"] or BRANCHES[options["branch"]].size) // 32 - 2
    features = 512 * (1 if options["branch_pooling"] else max(1, side) ** 2)
    widths = [features, *options["fc_widths"], options["num_classes"]]
    return blocks + sum(before * after for before, after in itertools.pairwise(widths))


def _by_filters(options):
    return sum(9 * width * width for width in options["filters"])  # each has a 3x3 convolution to itself


def _hypercolumn(options):
    # The same of VGG; its fully connected layers; and the hidden layer, which reads each width at least twice.
    connected = (49 * options["widths"][-1] + options["fc_width"]) * options["fc_width"]
    return sum(9 * width * width + 2 * width * options["head_width"] for width in options["widths"]) + connected


LEAST = {
    ColorfulColorizer: _by_filters,
    DenseColorizer: _dense,
    HypercolumnColorizer: _hypercolumn,
    UNetColorizer: _by_filters,
}
