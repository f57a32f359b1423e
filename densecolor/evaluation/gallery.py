"""Pictures to look at: the input, what each system makes of it, the truth."""

from typing import NamedTuple

import numpy as np

from densecolor.evaluation.pair import Answer
from densecolor.evaluation.pictures import to_rgb
from densecolor.evaluation.pictures import true_rgb

PICTURES = 2  # of each kind


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


def choose_pictures(evaluation, comparison):
    """The pictures of a report's page: best, median and worst of the first system, and where systems differ most.

    Args:
        evaluation: Evaluation.
        comparison: what was measured.

    Returns:
        list of (title, explanation, list of Shown).
    """
    first = evaluation.systems[0]
    heading = evaluation.measures[evaluation.leading].heading
    ranked = evaluation.ranked()
    middle = max(0, len(ranked) // 2 - PICTURES // 2)
    chosen = [
        ("Best", f"The pictures with the best {heading} of {first}.", ranked[:PICTURES]),
        ("Median", f"From the middle of the pictures, by {heading} of {first}.", ranked[middle : middle + PICTURES]),
        ("Worst", f"The pictures with the worst {heading} of {first}.", ranked[::-1][:PICTURES]),
    ]
    models = evaluation.systems[:-2]
    if len(models) > 1:
        values = np.stack([evaluation.judged(system, evaluation.leading) for system in models])
        values = np.where(np.isfinite(values), values, np.nan)
        apart = np.nan_to_num(np.fmax.reduce(values) - np.fmin.reduce(values), nan=-1.0)
        places = np.argsort(-apart, kind="stable")[:PICTURES]
        text = f"The pictures whose {heading} differs most between {', '.join(models)}."
        chosen.append(("Largest disagreement", text, places))
    return [(title, text, [show(comparison, int(place)) for place in places]) for title, text, places in chosen]
