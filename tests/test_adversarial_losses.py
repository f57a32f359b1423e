"""The adversarial objectives against formulas worked in NumPy, straight from the papers' logarithms."""

import numpy as np
import pytest

from densecolor.errors import DensecolorError
from densecolor.losses import ADVERSARIAL_OBJECTIVES
from densecolor.losses import adversarial_objective
from densecolor.losses.adversarial import gradient_penalty
from densecolor.losses.adversarial import interpolate
from densecolor.losses.adversarial import mean_score
from densecolor.losses.adversarial import relative_scores

TRUE = np.array([-3.0, -0.4, 0.0, 0.7, 2.5])
PREDICTED = np.array([1.2, -2.0, 0.3, -0.9, 4.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


R, F = sigmoid(TRUE), sigmoid(PREDICTED)
RELATIVE = sigmoid(TRUE - PREDICTED.mean()), sigmoid(PREDICTED - TRUE.mean())
EXPECTED = {
    "vanilla": (np.mean(-np.log(R)) + np.mean(-np.log(1 - F)), np.mean(-np.log(F))),
    "vanilla-smoothed": (
        np.mean(-0.9 * np.log(R) - 0.1 * np.log(1 - R)) + np.mean(-np.log(1 - F)),
        np.mean(-np.log(F)),
    ),
    "lsgan": (np.mean((TRUE - 1) ** 2) / 2 + np.mean(PREDICTED**2) / 2, np.mean((PREDICTED - 1) ** 2) / 2),
    "wgan": (PREDICTED.mean() - TRUE.mean(), -PREDICTED.mean()),
    "wgan-gp": (PREDICTED.mean() - TRUE.mean(), -PREDICTED.mean()),
    "hinge": (np.mean(np.clip(1 - TRUE, 0, None)) + np.mean(np.clip(1 + PREDICTED, 0, None)), -PREDICTED.mean()),
    "relativistic": (
        -np.mean(np.log(RELATIVE[0])) - np.mean(np.log(1 - RELATIVE[1])),
        -np.mean(np.log(RELATIVE[1])) - np.mean(np.log(1 - RELATIVE[0])),
    ),
}


def test_all_objectives_are_here():
    assert set(EXPECTED) == set(ADVERSARIAL_OBJECTIVES)


@pytest.mark.parametrize("name", EXPECTED)
def test_against_the_formula(name):
    objective = adversarial_objective(name)
    scores = TRUE, PREDICTED
    if objective.is_relativistic:
        scores = relative_scores(*scores, TRUE.mean(), PREDICTED.mean())
    losses = [np.asarray(loss(*scores)) for loss in (objective.discriminator, objective.generator)]
    assert all(loss.shape == TRUE.shape for loss in losses)
    np.testing.assert_allclose([loss.mean() for loss in losses], EXPECTED[name], rtol=1e-6)


@pytest.mark.parametrize("name", ["vanilla", "relativistic"])
def test_extreme_scores_stay_finite(name):
    objective = adversarial_objective(name)
    true, predicted = np.float32([-1e4, 1e4]), np.float32([1e4, -1e4])
    np.testing.assert_allclose(objective.discriminator(true, predicted), [2e4, 0], atol=1e-6)


def test_only_the_wasserstein_objectives_bound_their_critic():
    bounds = {name: (it.clips_weights, it.has_penalty) for name, it in ADVERSARIAL_OBJECTIVES.items()}
    assert {name for name, bound in bounds.items() if any(bound)} == {"wgan", "wgan-gp"}
    assert bounds["wgan"] == (True, False)
    assert bounds["wgan-gp"] == (False, True)


def test_unknown_objective():
    with pytest.raises(
        DensecolorError, match=r"Unknown objective='dcgan'\. Choose from vanilla, vanilla-smoothed, lsgan"
    ):
        adversarial_objective("dcgan")


def test_penalty_over_several_parts():
    """The norm is over all parts and pixels together, for each picture."""
    ab = np.zeros((2, 2, 2, 2), np.float32)
    mask = np.zeros((2, 2, 2, 1), np.float32)
    ab[0, 0, 0, 0], mask[0, 1, 1, 0] = 3, 4  # norm 5
    np.testing.assert_allclose(gradient_penalty([ab, mask]), [16, 1], rtol=1e-5)


def test_points_between_true_and_predicted():
    true, predicted = np.full((3, 2, 2, 2), 1.0), np.full((3, 2, 2, 2), -1.0)
    points = np.asarray(interpolate(true, predicted, np.array([0, 0.25, 1])))
    np.testing.assert_allclose(points[:, 0, 0, 0], [-1, -0.5, 1])
    assert points.shape == true.shape


def test_score_of_a_picture_is_the_mean_of_its_patches():
    scores = np.arange(24.0).reshape(2, 3, 4, 1)
    np.testing.assert_allclose(mean_score(scores), [5.5, 17.5])
