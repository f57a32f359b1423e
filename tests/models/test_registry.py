import inspect

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
