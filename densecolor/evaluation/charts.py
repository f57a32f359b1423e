"""The charts of a report's page: how figures and colours are spread."""

import numpy as np

from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import MEAN_COLOUR
from densecolor.evaluation.names import TRUTH
from densecolor.evaluation.svg import Curve
from densecolor.evaluation.svg import line_chart
from densecolor.evaluation.svg import system_style

_SPREAD = {
    "info_loss": "Information loss: how many pictures have how much (figure 7 of Zhang N. et al., 2019)",
    "psnr": "PSNR: how many pictures have how much",
    "ssim": "SSIM: how many pictures have how much",
}


def draw_charts(evaluation):
    """All charts that the measures allow.

    Args:
        evaluation: Evaluation.

    Returns:
        list of str, one `<figure>` each.
    """
    charts = [
        _spread(evaluation, name, title) for name, title in _SPREAD.items() if name in evaluation.figures.measures
    ]
    if evaluation.ab_counts is not None:
        charts += [_colours(evaluation, axis, name) for axis, name in enumerate("ab")]
    return [chart for chart in charts if chart]


def frequencies(evaluation, measure):
    """How many pictures have a figure in each of equal bins.

    Returns:
        (edges, dict of system to counts); the two baselines share a name where their figures are equal.
    """
    columns = {system: evaluation.judged(system, measure) for system in evaluation.systems}
    columns = {system: values[np.isfinite(values)] for system, values in columns.items()}
    if np.array_equal(columns[GRAYSCALE], columns[MEAN_COLOUR]):
        columns[f"{GRAYSCALE}, {MEAN_COLOUR}"] = columns.pop(GRAYSCALE)
        del columns[MEAN_COLOUR]
    everything = np.concatenate(list(columns.values()))
    if not len(everything):
        return np.zeros(1), {}
    low = 0.0 if measure == "info_loss" else everything.min()
    high = max(everything.max(), low + 1e-3)
    edges = np.linspace(low, high, min(60, 10 + int(np.sqrt(len(evaluation.keys)))) + 1)
    return edges, {system: np.histogram(values, edges)[0] for system, values in columns.items()}


def _spread(evaluation, measure, title):
    edges, counts = frequencies(evaluation, measure)
    if not counts:
        return ""
    middles = ((edges[:-1] + edges[1:]) / 2).tolist()
    curves = []
    for place, (system, values) in enumerate(counts.items()):
        style, dashes = system_style(place)
        if system.startswith((GRAYSCALE, MEAN_COLOUR)) and system not in evaluation.systems[:-2]:
            style, dashes = "baseline", "5 4" if system.startswith(GRAYSCALE) else "1 3"
        curves.append(Curve(system, middles, values.tolist(), style, dashes))
    unit = evaluation.measures[measure].unit
    x_label = f"{evaluation.measures[measure].heading}{', ' if unit else ''}{unit}"
    return line_chart(title, x_label, f"pictures in {edges[1] - edges[0]:.3g}", curves)


def _colours(evaluation, axis, name):
    counts = evaluation.ab_counts[:, axis].astype(np.float64)
    shares = counts / counts.sum(axis=-1, keepdims=True)
    curves = []
    drawn = [0, *range(1, len(evaluation.systems) - 1)]  # a baseline has one colour, which is no curve
    used = np.flatnonzero(shares[drawn].any(axis=0))
    values = np.arange(used[0], used[-1] + 1)
    for place in drawn:
        system = TRUTH if place == 0 else evaluation.systems[place - 1]
        style, dashes = ("truth", "") if place == 0 else system_style(place - 1)
        curves.append(Curve(system, (values - 128).tolist(), shares[place, values].tolist(), style, dashes))
    return line_chart(f"How often each {name} occurs, against the truth", name, "share of the pixels", curves, log=True)
