"""How far people agree: Krippendorff's alpha."""

import numpy as np


def krippendorff_alpha(units, metric):
    """Krippendorff's alpha: 1 is full agreement, 0 what chance would give, below 0 is less than that.

    K. Krippendorff, Computing Krippendorff's alpha-reliability, 2011. It takes any number of people, and not
    everybody need have answered everything.

    Args:
        units: iterable of sequences: the answers to each thing that was judged, of any hashable kind ("nominal") or
            numbers ("interval"). Things with fewer than two answers are left aside.
        metric: "nominal", where answers are equal or not, or "interval", where their squared difference counts.

    Returns:
        float, or None where no thing has two answers, or all answers are the same.

    Example:
        >>> krippendorff_alpha([["yes", "yes"], ["no", "no"], ["yes", "no"]], "nominal")
        0.44...
    """
    units = [list(unit) for unit in units]
    pairable = [unit for unit in units if len(unit) > 1]
    values = sorted({value for unit in pairable for value in unit})
    if len(values) < 2:
        return None
    place = {value: number for number, value in enumerate(values)}
    coincidences = np.zeros((len(values), len(values)))
    for unit in pairable:
        counts = np.bincount([place[value] for value in unit], minlength=len(values)).astype(np.float64)
        coincidences += (np.outer(counts, counts) - np.diag(counts)) / (len(unit) - 1)
    distances = _distances(values, metric)
    totals = coincidences.sum(axis=1)
    expected = (np.outer(totals, totals) - np.diag(totals)) / (totals.sum() - 1)
    return float(1 - (coincidences * distances).sum() / (expected * distances).sum())


def _distances(values, metric):
    if metric == "nominal":
        return 1.0 - np.eye(len(values))
    numbers = np.asarray(values, np.float64)
    return np.square(numbers[:, None] - numbers[None])
