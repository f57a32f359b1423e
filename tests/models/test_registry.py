import inspect
import math
from pathlib import Path

import pytest

from densecolor import models
from densecolor.errors import DensecolorError


def test_list_models_is_sorted():
    assert models.list_models() == sorted(models.PRESETS)
    assert {"dense", "dense_small", "dense_tiny", "unet"} <= set(models.list_models())


@pytest.mark.parametrize("name", models.list_models())
def test_options_of_presets_exist(name):
    model_class, options = models.PRESETS[name]
    assert set(options) <= set(inspect.signature(model_class).parameters)
    assert models.model_options(name) | options == models.model_options(name)


def figures(model):
    """Names of outputs, trained and frozen parameters, counted."""
    trained = sum(math.prod(variable.shape) for variable in model.trainable_variables)
    frozen = sum(layer.count_params() for layer in model.layers if layer.weights and not layer.trainable)
    return set(model.output_names), trained, frozen


IS_SMALL = ("_small", "_tiny")


@pytest.mark.parametrize(
    "name",
    [name if name.endswith(IS_SMALL) else pytest.param(name, marks=pytest.mark.slow) for name in models.list_models()],
)
def test_cards_are_true(name):
    card = next(card for card in models.list_models(cards=True) if card.name == name)
    known = (set(card.outputs), card.trained_parameters, card.frozen_parameters)
    assert known == figures(models.create(name))


def test_docs_have_every_card():
    text = (Path(__file__).parents[2] / "docs/models.md").read_text(encoding="utf-8")
    for card in models.list_models(cards=True):
        if card.name != "dense_tiny":  # which is for tests
            frozen = f"{card.frozen_parameters:,}" if card.frozen_parameters else ""
            sizes = f"{card.trained_parameters:,} | {frozen} | {card.multiply_adds} G | {card.receptive_field or ''}"
            assert f"| `{card.name}` | {sizes} |" in text
            assert card.citation.partition(" (")[0] in text.replace("*", "").replace("\n", " ")


def test_create_takes_options_in_place_of_the_presets():
    model = models.create("dense_tiny", num_classes=0, growth_rate=3, working_size=64)
    assert (model.num_classes, model.growth_rate, model.layers_per_block) == (0, 3, 1)
    assert model.working_size == 64
    assert model.output_names == ["ab"]


def test_unknown_names_and_options_list_the_choices():
    with pytest.raises(DensecolorError, match=r"Unknown model 'densee'. Choose from .*dense_small.*unet"):
        models.create("densee")
    with pytest.raises(DensecolorError, match=r"Model 'unet' has no option 'layers'. Choose from filters, .*dtype"):
        models.create("unet", layers=3)
