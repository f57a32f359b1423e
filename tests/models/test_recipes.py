import json

import numpy as np
import pytest

from densecolor import models
from densecolor.errors import TrainingError
from densecolor.losses import ColorMSE
from densecolor.training import TrainConfig


@pytest.mark.parametrize("name", models.RECIPES)
def test_a_recipe_is_of_a_model_and_in_the_terms_of_training(name):
    model = name.partition("_stage")[0]
    assert model in models.list_models()
    TrainConfig("packed", model=model, **models.RECIPES[name])


def test_a_later_stage_has_its_own_recipe(packed):
    first, second = (TrainConfig.from_recipe(packed, "scgan", stage=stage) for stage in (1, 2))
    assert (first.gan, second.gan) == ("none", "wgan-gp")
    assert (first.perceptual, second.perceptual) == (None, "imagenet")
    with pytest.raises(TrainingError, match="The training of 'scgan' has no stage 3"):
        TrainConfig.from_recipe(packed, "scgan", stage=3)


def test_recipes_are_plain_values():
    assert json.loads(json.dumps(models.RECIPES)) == models.RECIPES


def test_iizukas_weight_is_the_papers_for_our_color_loss():
    """The paper adds 1/300 of the cross-entropy to the error of values in [0, 1]; ours is of ab / 128."""
    random = np.random.default_rng(0)
    true, predicted = random.uniform(0, 1, (2, 3, 4, 4, 2))
    ours = float(ColorMSE()((2 * true - 1) * 110 / 128, (2 * predicted - 1) * 110 / 128))
    papers = np.square(true - predicted).mean()
    assert models.RECIPES["iizuka"]["label_weight"] / ours == pytest.approx(1 / 300 / papers, rel=1e-5)
