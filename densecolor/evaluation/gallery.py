"""Pictures to look at: the input, what each system makes of it, the truth."""

from typing import NamedTuple

import numpy as np

from densecolor.evaluation.pair import Answer
from densecolor.evaluation.pictures import to_rgb
from densecolor.evaluation.pictures import true_rgb


class Shown(NamedTuple):
    """One picture as sRGB, uint8 (H, W, 3) each."""

    key: str
    gray: np.ndarray
    truth: np.ndarray
    predictions: dict  # system to picture


def show(comparison, place):
    """The picture at a place of a comparison, with the predictions of all systems but the baselines."""
    picture, answers = comparison.show(place)
    predictions = {}
    for system, answer in zip(comparison.systems, answers, strict=True):
        if system.about["kind"] != "baseline":
            rgb = answer.rgb if isinstance(answer, Answer) else to_rgb(picture.lightness, answer[0])
            predictions[system.name] = rgb
    gray = to_rgb(picture.lightness, np.zeros_like(picture.ab))
    return Shown(picture.key, gray, true_rgb(picture), predictions)
