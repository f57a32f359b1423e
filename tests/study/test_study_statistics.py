import math

import numpy as np
import pytest
import scipy.optimize
import scipy.stats

from densecolor.study.agreement import krippendorff_alpha
from densecolor.study.bradley_terry import bradley_terry
from densecolor.study.intervals import clustered_mean
from densecolor.study.intervals import wilson

NOTHING = None


@pytest.mark.parametrize(("successes", "count"), [(0, 10), (3, 10), (10, 10), (62, 99), (1, 1)])
def test_wilson_is_that_of_scipy(successes, count):
    reference = scipy.stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert wilson(successes, count) == pytest.approx((successes / count, reference.low, reference.high), abs=1e-12)


def test_nothing_asked_is_nothing_known():
    assert wilson(0, 0) == (None, None, None)
    assert clustered_mean([], []) == (None, None, None)
    assert clustered_mean([3, 5], ["a", "a"]) == (4.0, None, None)


def test_the_mean_of_equally_many_answers_is_the_t_interval_of_peoples_means():
    values = [4, 6, 7, 7, 2, 8, 9, 9]
    people = ["a", "a", "b", "b", "c", "c", "d", "d"]
    reference = scipy.stats.ttest_1samp([5, 7, 5, 9], 0).confidence_interval(0.95)
    assert clustered_mean(values, people) == pytest.approx((6.5, reference.low, reference.high), abs=1e-12)


def test_unequal_answers_by_hand():
    # mean 4; sums of deviations: a (1 - 4) + (3 - 4) = -4, b 8 - 4 = 4; error sqrt(2 / 1 * 32) / 3 = 8 / 3
    estimate = clustered_mean([1, 3, 8], ["a", "a", "b"])
    assert estimate.value == 4
    assert estimate.high - 4 == pytest.approx(12.706204736 * 8 / 3)


# The example of Krippendorff 2011, section C and following: four people, twelve things, gaps; alphas as printed there.
PUBLISHED = np.array(
    [
        [1, 2, 3, 3, 2, 1, 4, 1, 2, NOTHING, NOTHING, NOTHING],
        [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NOTHING, 3],
        [NOTHING, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NOTHING],
        [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NOTHING],
    ],
    dtype=object,
)


@pytest.mark.parametrize(("metric", "alpha"), [("nominal", 0.743), ("interval", 0.849)])
def test_alpha_is_the_published_one(metric, alpha):
    units = [[value for value in column if value is not NOTHING] for column in PUBLISHED.T]
    assert krippendorff_alpha(units, metric) == pytest.approx(alpha, abs=5e-4)


def test_alpha_by_hand():
    # coincidences: yes-yes 2, no-no 2, yes-no 1 + 1; observed 2 / 6, expected 2 * 3 * 3 / (6 * 5) = 0.6
    units = [["yes", "yes"], ["no", "no"], ["yes", "no"], ["yes"]]
    assert krippendorff_alpha(units, "nominal") == pytest.approx(1 - (2 / 6) / 0.6)
    assert krippendorff_alpha([[1, 1], [5, 5]], "interval") == 1
    assert krippendorff_alpha([[1, 1], [1]], "interval") is None
    assert krippendorff_alpha([], "nominal") is None


def test_two_that_are_compared_by_hand():
    first, second = bradley_terry([[9, 30], [10, 9]]).strengths
    assert first.value == pytest.approx(math.log(3) / 2)
    assert second.value == pytest.approx(-math.log(3) / 2)
    # the difference is the log odds, with variance 1/30 + 1/10; each strength is half of it
    assert first.high - first.value == pytest.approx(1.959963985 * math.sqrt(1 / 30 + 1 / 10) / 2)
    assert first.value - first.low == pytest.approx(first.high - first.value)


def test_strengths_maximise_the_likelihood():
    wins = np.array([[0, 12, 7, 9], [5, 0, 8, 3], [4, 6, 0, 2], [1, 0, 6, 0]])

    def loss(free):
        strengths = np.append(free, -free.sum())
        return (wins * np.logaddexp(0, strengths[None] - strengths[:, None])).sum()

    best = scipy.optimize.minimize(loss, np.zeros(3), method="BFGS", options={"gtol": 1e-9})
    found = [strength.value for strength in bradley_terry(wins).strengths]
    assert found == pytest.approx(np.append(best.x, -best.x.sum()), abs=1e-6)
    covariance = np.linalg.inv(_hessian(loss, best.x))
    widths = [strength.high - strength.value for strength in bradley_terry(wins).strengths]
    spread = np.sqrt(np.append(np.diag(covariance), covariance.sum()))
    assert widths == pytest.approx(1.959963985 * spread, rel=1e-3)


def _hessian(function, at, step=1e-3):
    """By differences."""
    axes = np.eye(len(at)) * step
    return np.array(
        [
            [
                (function(at + a + b) - function(at + a - b) - function(at - a + b) + function(at - a - b))
                / (4 * step**2)
                for b in axes
            ]
            for a in axes
        ]
    )


@pytest.mark.parametrize(
    "wins",
    [
        [[0, 5], [0, 0]],  # the second never wins
        [[0, 3, 5], [2, 0, 4], [0, 0, 0]],  # the third never wins
        [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]],  # two groups that never met
        [[0, 0], [0, 0]],
        [[7]],
    ],
)
def test_strengths_that_are_not_finite_are_not_given(wins):
    found = bradley_terry(wins)
    assert found.strengths is None
    assert found.reason


def test_lopsided_choices_are_solved_too():
    wins = [[0, 1000, 1000], [1, 0, 1000], [1, 1, 0]]
    strengths = [strength.value for strength in bradley_terry(wins).strengths]
    won = 1 / (1 + np.exp(np.subtract.outer(strengths, strengths).T))
    expected = (np.add(wins, np.transpose(wins)) * won).sum(axis=1) - np.diag(won) * 0
    assert expected == pytest.approx(np.sum(wins, axis=1), rel=1e-9)  # what defines the maximum
