"""Colours for grayscale pictures: pack, train, evaluate, colorize, ask people.

The names below load what they need when they are first used, so that `import densecolor` is quick and does not
import TensorFlow. The subpackages, in the order in which they build on each other:

    color, image_io < shards < packing, dataset < losses, metrics < models < checkpoint
    < inference, embedding < training, evaluation, study, film < web < cli
"""

import importlib

__version__ = "0.1.0"

_HOMES = {
    "DensecolorError": "densecolor.errors",
    "colorize": "densecolor.inference",
    "colorize_files": "densecolor.inference",
    "colorize_film": "densecolor.film",
    "embed": "densecolor.embedding",
    "evaluate": "densecolor.evaluation",
    "export": "densecolor.inference.exporting",
    "load_model": "densecolor.checkpoint",
    "pack": "densecolor.packing",
    "save_model": "densecolor.checkpoint",
    "train": "densecolor.training",
}
_SUBPACKAGES = (
    "checkpoint",
    "color",
    "dataset",
    "errors",
    "evaluation",
    "film",
    "image_io",
    "inference",
    "losses",
    "metrics",
    "models",
    "packing",
    "shards",
    "study",
    "training",
    "web",
)

__all__ = ["__version__", *sorted(_HOMES), *_SUBPACKAGES]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"densecolor.{name}")
    raise AttributeError(f"module 'densecolor' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
