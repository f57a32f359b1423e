"""One picture and all that systems make of it, measured: the unit of work that any thread or machine may do."""

import math
from typing import NamedTuple

import numpy as np

from densecolor import metrics
from densecolor.evaluation.pair import Answer
from densecolor.evaluation.pair import Pair
from densecolor.evaluation.pair import Side
from densecolor.evaluation.pictures import to_rgb
from densecolor.evaluation.pictures import true_rgb

REBALANCED = "ab_auc_rebalanced"


class Measured(NamedTuple):
    """The figures of one picture, and its share in what is summed over the pixels of all pictures."""

    key: str
    label: int
    values: np.ndarray  # float64 (systems, measures), the truth's first
    sums: dict  # name to array; see `densecolor.evaluation.parts`
    shown: list  # sRGB uint8 (H, W, 3), the truth's first, for networks that look at them; empty if none do


def measure_picture(picture, answers, chosen, keep_shown=False):
    """Compare what systems make of a picture with the picture.

    Args:
        picture: Picture.
        answers: list, for each system an Answer, or (ab, class index or None) of a model that keeps the lightness.
        chosen: dict of name to Measure.
        keep_shown: keep the sRGB pictures.

    Returns:
        Measured.
    """
    true = Side(picture, true_rgb(picture), picture.ab)
    pairs = [Pair(picture, true, _answer(picture, answer)) for answer in answers]
    values = np.full((1 + len(pairs), len(chosen)), math.nan)
    for column, measure in enumerate(chosen.values()):
        if measure.of_truth is not None:
            values[0, column] = measure.of_truth(true)
        if measure.of_pair is not None:
            values[1:, column] = [measure.of_pair(pair) for pair in pairs]
    sides = [true, *(pair.pred for pair in pairs)]
    sums = {"ab_counts": np.stack([_marginals(side.histogram) for side in sides])}
    if REBALANCED in chosen:
        by_bin = [metrics.ab_auc_by_bin(picture.ab, pair.pred.ab) for pair in pairs]
        sums |= {"bin_counts": by_bin[0][0], "bin_areas": np.stack([areas for _, areas in by_bin])}
    return Measured(picture.key, picture.label, values, sums, [side.rgb for side in sides] if keep_shown else [])


def _answer(picture, answer):
    if isinstance(answer, Answer):
        return answer
    ab, class_index = answer
    return Answer(to_rgb(picture.lightness, ab), ab, class_index)


def _marginals(histogram):
    """Counts of a and of b, int64 (2, 256)."""
    return np.stack([histogram.sum(axis=1), histogram.sum(axis=0)]).astype(np.int64)
