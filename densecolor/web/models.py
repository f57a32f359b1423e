"""The models that the page offers."""

import os
import pathlib

from densecolor.checkpoint import shipped_card
from densecolor.errors import WebError
from densecolor.inference.picture import as_model


def load_models(models, trust=False):
    """Load all models that the page offers, once.

    Args:
        models: list of paths of checkpoints or run directories; the default model comes first in any case.
        trust: see `densecolor.load_model`.

    Returns:
        dict of the name on the page to Keras model.

    Raises:
        CheckpointError: one cannot be loaded.
        WebError: two have the same name.
    """
    loaded = {f"default ({shipped_card()['model']})": as_model(None)}
    for path in models:
        name = _name_of(path)
        if name in loaded:
            raise WebError(f"Two models are called {name!r} on the page. Name each model once.")
        loaded[name] = as_model(path, trust)
    return loaded


def _name_of(path):
    """The last two parts of a path, which tell runs apart and nothing of the folders around them."""
    parts = pathlib.Path(os.path.abspath(path)).parts[-2:]
    return "/".join(part for part in parts if part != os.sep)
