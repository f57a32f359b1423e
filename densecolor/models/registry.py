"""The models by name: the published systems as their papers have them, and smaller variants."""

import inspect

from densecolor.errors import DensecolorError
from densecolor.models.cards import model_card
from densecolor.models.mask_head import MaskGuidedColorizer
from densecolor.models.presets import PLAIN_PRESETS

PRESETS = PLAIN_PRESETS | {
    "mask_guided": (MaskGuidedColorizer, {}),
    "mask_guided_small": (MaskGuidedColorizer, {"colorizer": "dense_small", "mask_width": 16}),
}


def list_models(cards=False):
    """The names that `create` knows.

    Args:
        cards: whether to tell also each model's paper, inputs and outputs, size and losses.

    Returns:
        list of str; of `ModelCard` with `cards`.

    Example:
        >>> list_models()
        ['colorful', 'colorful_small', 'dense', 'dense_small', 'dense_tiny', 'hypercolumn', ...]
        >>> import pandas
        >>> pandas.DataFrame(list_models(cards=True)).set_index("name")
    """
    names = sorted(PRESETS)
    return [model_card(name) for name in names] if cards else names


def model_options(name):
    """The options of a model and their defaults.

    Args:
        name: one of `list_models()`.

    Returns:
        dict of the constructor's argument names to the values that this preset gives them.

    Raises:
        DensecolorError: no model has this name.
    """
    if name not in PRESETS:
        raise DensecolorError(f"Unknown model {name!r}. Choose from {', '.join(list_models())}.")
    model_class, options = PRESETS[name]
    parameters = inspect.signature(model_class).parameters.values()
    return {parameter.name: parameter.default for parameter in parameters} | options


def create(name, **options):
    """Build a model by its name.

    Args:
        name: one of `list_models()`.
        **options: arguments of the model's constructor, in place of the preset's.

    Returns:
        An untrained `keras.Model`: lightness (batch, H, W, 1) in, a dict with `ab` (batch, H, W, 2) out.

    Raises:
        DensecolorError: the name or an option is unknown; the message lists the choices.

    Example:
        >>> create("dense_small", num_classes=0, working_size=64).output_names
        ['ab']
    """
    known = model_options(name)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise DensecolorError(f"Model {name!r} has no option {unknown[0]!r}. Choose from {', '.join(known)}.")
    return PRESETS[name][0](**(known | options))
