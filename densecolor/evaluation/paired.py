"""Is one system better than another, or are the pictures just different? Tests of differences, picture by picture."""

from typing import NamedTuple

import numpy as np

from densecolor.evaluation import statistics
from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER

DEFINITION = (
    "two-sided Wilcoxon signed-rank test of the differences, picture by picture (zero differences dropped, scipy.stats."
    "wilcoxon); p_holm with Holm's correction over the systems tested for the same measure"
)
_ZERO_OR_ONE = {"accuracy", "cci_ratio", "top1", "top5"}


class Test(NamedTuple):
    """A system against another, by one measure."""

    count: int  # pictures where both have a finite figure
    mean: float | None  # of the differences, system minus other
    low: float | None  # ends of the bootstrap interval of the mean
    high: float | None
    p: float | None  # None without any picture
    p_holm: float | None


def paired_tests(evaluation, against):
    """Test all systems against one, by every measure that has a better direction and more than two values.

    Args:
        evaluation: Evaluation.
        against: name of a system.

    Returns:
        dict of system to dict of measure to Test.
    """
    names = [
        name
        for name in evaluation.figures.measures
        if evaluation.measures[name].better in (HIGHER, LOWER) and name not in _ZERO_OR_ONE
    ]
    others = [system for system in evaluation.systems if system != against]
    differences = {}
    for system in others:
        for name in names:
            with np.errstate(invalid="ignore"):  # infinite minus infinite: left out
                differences[system, name] = evaluation.judged(system, name) - evaluation.judged(against, name)
    if not differences:
        return {}
    summaries = statistics.summarize(differences)
    p_values = {key: wilcoxon(values) for key, values in differences.items()}
    tests = {}
    for name in names:
        corrected = holm([p_values[system, name] for system in others])
        for system, p_holm in zip(others, corrected, strict=True):
            count, mean, _, low, high = summaries[system, name]
            tests.setdefault(system, {})[name] = Test(count, mean, low, high, p_values[system, name], p_holm)
    return tests


def wilcoxon(differences):
    """P of the two-sided Wilcoxon signed-rank test that the differences lie around 0.

    Args:
        differences: float array; NaN and infinities are left out, zeros dropped.

    Returns:
        float, 1 where all differences are zero; None without any.
    """
    from scipy import stats

    differences = differences[np.isfinite(differences)]
    if not len(differences):
        return None
    differences = differences[differences != 0]
    return float(stats.wilcoxon(differences).pvalue) if len(differences) else 1.0


def holm(p_values):
    """p-values corrected for their number by Holm's method, in the given order; None stays None.

    Example:
        >>> holm([0.01, 0.04, None, 0.03])
        [0.03, 0.06, None, 0.06]
    """
    order = sorted((p, i) for i, p in enumerate(p_values) if p is not None)
    corrected = [None] * len(p_values)
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        corrected[i] = highest
    return corrected
