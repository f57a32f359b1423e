import json

from densecolor import models
from densecolor.models.recipes import RECIPES


def test_recipes_are_plain_values_for_presets():
    assert {"colorful", "hypercolumn"} <= set(RECIPES) <= set(models.PRESETS)
    assert json.loads(json.dumps(RECIPES)) == RECIPES
