"""Confidence intervals of shares and of means."""

import math
from typing import NamedTuple

import numpy as np
from scipy import special

CONFIDENCE = 0.95


class Estimate(NamedTuple):
    """A figure with the ends of its 95 % interval; None where too little is known."""

    value: float | None
    low: float | None
    high: float | None


def wilson(successes, count):
    """A share, with Wilson's score interval.

    E. B. Wilson, Probable inference, the law of succession, and statistical inference, 1927. Unlike the usual ± of a
    share, it stays within [0, 1] and makes sense for 0 of n.

    Args:
        successes: int.
        count: int, of trials; independent of one another.

    Returns:
        Estimate in [0, 1].

    Example:
        >>> wilson(5, 10)
        Estimate(value=0.5, low=0.236..., high=0.763...)
    """
    if not count:
        return Estimate(None, None, None)
    z = special.ndtri((1 + CONFIDENCE) / 2)
    share = successes / count
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return Estimate(share, max(0.0, middle - half), min(1.0, middle + half))


def clustered_mean(values, people):
    """The mean of answers, with an interval that knows that one person's answers are alike.

    The standard error is that of sums over people (cluster-robust, with the correction G / (G - 1) for G people), the
    interval Student's t with G - 1 degrees of freedom. Where all have answered equally often, it is the t interval of
    the people's means.

    Args:
        values: sequence of numbers.
        people: sequence of the same length, who has given each.

    Returns:
        Estimate; without an interval where fewer than two people have answered.

    Example:
        >>> clustered_mean([4, 6, 6, 8], ["a", "a", "b", "b"]).value
        6.0
    """
    values = np.asarray(values, np.float64)
    if not len(values):
        return Estimate(None, None, None)
    mean = float(values.mean())
    _, person = np.unique(np.asarray(people), return_inverse=True)
    count = int(person.max()) + 1
    if count < 2:
        return Estimate(mean, None, None)
    sums = np.bincount(person, weights=values - mean)
    error = math.sqrt(count / (count - 1) * np.square(sums).sum()) / len(values)
    half = float(special.stdtrit(count - 1, (1 + CONFIDENCE) / 2)) * error
    return Estimate(mean, mean - half, mean + half)
