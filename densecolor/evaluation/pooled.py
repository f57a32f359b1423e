"""Figures of all pictures together, which no mean over pictures gives."""

from densecolor import metrics
from densecolor.evaluation.measuring import REBALANCED


def pooled_figures(parts, sums, systems, options):
    """The pooled figures that were asked for.

    Args:
        parts: PartFolder, all of whose parts are there.
        sums: their sums, see `densecolor.evaluation.parts.Part`.
        systems: list of names, without the truth.
        options: `densecolor.evaluation.engine.Options`.

    Returns:
        dict of system to dict of measure to float; empty where nothing was asked for.
    """
    figures = {}
    if REBALANCED in options.chosen:
        for system, areas in zip(systems, sums["bin_areas"], strict=True):
            figures.setdefault(system, {})[REBALANCED] = metrics.rebalanced_ab_auc(sums["bin_counts"], areas)
    if options.networks is not None:
        for system, distance in options.networks.distances(parts, systems).items():
            figures.setdefault(system, {}).update(distance)
    return figures
