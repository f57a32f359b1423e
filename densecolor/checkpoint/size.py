"""How large a described model is at least, known before anything of it is built."""

import inspect
import itertools

from densecolor.models import BRANCHES
from densecolor.models import ChromaGANColorizer
from densecolor.models import ColorfulColorizer
from densecolor.models import ColorGANColorizer
from densecolor.models import CycleGANColorizer
from densecolor.models import DCGANColorizer
from densecolor.models import DenseColorizer
from densecolor.models import HypercolumnColorizer
from densecolor.models import IizukaColorizer
from densecolor.models import KoalarizationColorizer
from densecolor.models import MaskGuidedColorizer
from densecolor.models import Pix2PixColorizer
from densecolor.models import ResidualColorizer
from densecolor.models import ResUNetColorizer
from densecolor.models import SCGANColorizer
from densecolor.models import SMCGANColorizer
from densecolor.models import UNetColorizer
from densecolor.models.convolutions import scaled
from densecolor.models.dense_block import BOTTLENECK
from densecolor.models.frozen_branch import embedding_length
from densecolor.models.mask_head import colorizer_arguments
from densecolor.models.mask_head import colorizer_class


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
    features = 512 * (1 if options["branch_pooling"] else _places(options) ** 2)
    widths = [features, *options["fc_widths"], options["num_classes"]]
    return blocks + sum(before * after for before, after in itertools.pairwise(widths))


def _by_filters(options):
    return sum(9 * width * width for width in options["filters"])  # each has a 3x3 convolution to itself


def _hypercolumn(options):
    # The same of VGG; its fully connected layers; and the hidden layer, which reads each width at least twice.
    connected = (49 * options["widths"][-1] + options["fc_width"]) * options["fc_width"]
    return sum(9 * width * width + 2 * width * options["head_width"] for width in options["widths"]) + connected


def _koalarization(options):
    width = options["width"]
    length = embedding_length(options["branch"], options["embedding"], options["logit_count"])
    color = 9 * options["depth"] * scaled(512, width) ** 2 + length * scaled(256, width)
    if options["embedding_input"] or options["embedding"] != "logits":
        return color
    # Every classifier reads 512 features or more; those of VGG have two layers of 4096 before.
    hidden = 512 * _places(options) ** 2 * 4096 + 4096**2 if options["branch"].startswith("vgg") else 0
    return color + hidden + 512 * options["logit_count"]


def _iizuka(options):
    widest = scaled(512, options["width"])
    side = -(-options["global_size"] // 32)
    connected = widest * side**2 * scaled(1024, options["width"])
    return 5 * 9 * widest**2 + connected + options["num_classes"] * scaled(256, options["width"])


def _residual(options):
    filters = options["filters"]
    of_a_block = 18 * filters**2 * (1 + 2**2 + 4**2)  # of one at each size, without the step between sizes
    branch = 3 * 18 * (8 * filters) ** 2
    return (options["blocks"] - 1) * of_a_block + branch + options["num_classes"] * 4 * filters


def _resunet(options):
    filters, head = options["filters"], options["head_filters"]
    in_blocks = sum(18 * options["blocks"] * width**2 for width in filters[1:])
    return in_blocks + 9 * sum(a * b for a, b in itertools.pairwise(filters)) + 9 * filters[1] * head + 313 * head


def _scgan(options):
    # Two 3x3 convolutions between each size and the next, there and back; each size of the global features has one to
    # itself, and so has the saliency branch, which reads three sizes.
    filters, widths = options["filters"], options["global_widths"]
    read = [(width, width) for width in widths] + [(widths[-1], filters[6])] if options["global_features"] else []
    if options["saliency"]:
        read += [(width, options["saliency_width"]) for width in (*filters[1:4], options["saliency_width"])]
    return 9 * sum(before * after for before, after in [*itertools.pairwise(filters)] * 2 + read)


def _smcgan(options):
    between = sum(2 * 9 * a * b for a, b in itertools.pairwise(options["filters"]))
    return between + 18 * options["blocks"] * options["filters"][-1] ** 2


def _encoder_decoder(options):
    # A 4x4 convolution between each size and the next, there and back.
    return 2 * 16 * sum(before * after for before, after in itertools.pairwise(options["filters"]))


def _chromagan(options):
    widest, side = scaled(512, options["width"]), -(-options["global_size"] // 32)
    units = scaled(4096, options["width"])
    flat = widest * side**2
    classes = (flat + units + options["num_classes"]) * units if options["num_classes"] else 0
    return 7 * 9 * widest**2 + flat * scaled(1024, options["width"]) + classes


def _colorgan(options):
    filters, projections = options["filters"], {"shared": 1, "separate": options["noise_layers"], "maps": 0}
    noise = projections.get(options["noise"], 0) * options["noise_length"] * options["map_size"] ** 2
    return noise + sum(25 * before * after for before, after in itertools.pairwise(filters))


def _cyclegan(options):
    return (options["blocks"] * 2 + 1) * 9 * (4 * options["filters"]) ** 2


def _mask_guided(options):
    name, passed_on = options["colorizer"], options["num_classes"]
    arguments = colorizer_arguments(name, options["colorizer_options"] or {}, passed_on)
    return least_parameters(colorizer_class(name), arguments)


def _places(options):
    """The networks reduce a picture 32 times, or a little more without padding: the least side that is left."""
    return max(1, (options["branch_size"] or BRANCHES[options["branch"]].size) // 32 - 2)


LEAST = {
    ChromaGANColorizer: _chromagan,
    ColorfulColorizer: _by_filters,
    ColorGANColorizer: _colorgan,
    CycleGANColorizer: _cyclegan,
    DCGANColorizer: _encoder_decoder,
    DenseColorizer: _dense,
    HypercolumnColorizer: _hypercolumn,
    IizukaColorizer: _iizuka,
    KoalarizationColorizer: _koalarization,
    MaskGuidedColorizer: _mask_guided,
    Pix2PixColorizer: _encoder_decoder,
    ResidualColorizer: _residual,
    ResUNetColorizer: _resunet,
    SCGANColorizer: _scgan,
    SMCGANColorizer: _smcgan,
    UNetColorizer: _by_filters,
}
