"""Strengths behind pairwise choices: the model of Bradley and Terry."""

from typing import NamedTuple

import numpy as np
from scipy import special
from scipy.sparse.csgraph import connected_components

from densecolor.study.intervals import CONFIDENCE
from densecolor.study.intervals import Estimate

_STEPS = 100
_TOLERANCE = 1e-12


class Strengths(NamedTuple):
    """What `bradley_terry` has found."""

    strengths: list | None  # Estimate of each, on the scale of log odds, 0 on average; None if they are not finite
    reason: str  # why there are none


def bradley_terry(wins):
    """Maximum likelihood strengths: i is preferred to j with the odds exp(strength i - strength j).

    R. A. Bradley, M. E. Terry, Rank analysis of incomplete block designs, 1952. Intervals come from the observed
    information with strengths that sum to 0 (Wald), and take choices as independent.

    Args:
        wins: (n, n) of counts; how often row was preferred to column. The diagonal is left aside.

    Returns:
        Strengths. There are none where the n fall into two groups one of which was never preferred to the other, since
        the best strengths are then infinitely far apart (Ford 1957).

    Example:
        >>> bradley_terry([[0, 3], [1, 0]]).strengths[0].value  # half of log 3
        0.549...
    """
    wins = np.array(wins, np.float64)
    np.fill_diagonal(wins, 0)
    if len(wins) < 2 or not wins.any():
        return Strengths(None, "nothing was compared")
    groups, _ = connected_components(wins > 0, directed=True, connection="strong")
    if groups > 1:
        return Strengths(None, "someone always won, or always lost, against all others, or was not compared with them")
    played = wins + wins.T
    strengths = np.zeros(len(wins))
    for _ in range(_STEPS):
        expected = special.expit(strengths[:, None] - strengths[None])
        gradient = wins.sum(axis=1) - (played * expected).sum(axis=1)
        information = _information(played, expected)
        step = np.linalg.pinv(information, hermitian=True) @ gradient
        strengths += step / max(1.0, np.abs(step).max())  # far steps of Newton's method overshoot
        if np.abs(step).max() < _TOLERANCE:
            break
    strengths -= strengths.mean()
    expected = special.expit(strengths[:, None] - strengths[None])
    variances = np.diag(np.linalg.pinv(_information(played, expected), hermitian=True))
    half = special.ndtri((1 + CONFIDENCE) / 2) * np.sqrt(np.maximum(variances, 0))
    ends = zip(strengths.tolist(), half.tolist(), strict=True)
    return Strengths([Estimate(value, value - width, value + width) for value, width in ends], "")


def _information(played, expected):
    weights = played * expected * (1 - expected)
    return np.diag(weights.sum(axis=1)) - weights
