"""The classes in which a system does best and worst."""

from typing import NamedTuple

import numpy as np

from densecolor.evaluation.measures import LOWER

LISTED = 5
MIN_PICTURES = 3  # fewer say little of a class; taken all the same where no class has more


class ClassMean(NamedTuple):
    """The mean of one class."""

    name: str
    count: int
    mean: float


def class_means(evaluation, system):
    """The mean of the leading measure in every class with pictures, best first.

    Args:
        evaluation: Evaluation.
        system: name.

    Returns:
        list of ClassMean; empty without classes.
    """
    names = evaluation.about.get("class_names") or []
    values = evaluation.judged(system, evaluation.leading)
    judged = np.isfinite(values) & (evaluation.figures.labels >= 0)
    labels, values = evaluation.figures.labels[judged], values[judged]
    counts = np.bincount(labels, minlength=len(names))
    sums = np.bincount(labels, values, minlength=len(names))
    enough = MIN_PICTURES if (counts >= MIN_PICTURES).any() else 1
    means = [
        ClassMean(name, int(count), float(total / count))
        for name, count, total in zip(names, counts, sums, strict=True)
        if count >= enough
    ]
    sign = 1 if evaluation.measures[evaluation.leading].better == LOWER else -1
    return sorted(means, key=lambda of_class: sign * of_class.mean)
