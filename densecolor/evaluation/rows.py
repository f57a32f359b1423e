"""Figures of many pictures: the row that is computed anywhere, and the columns that are summed up."""

from typing import NamedTuple

import numpy as np

from densecolor.errors import DensecolorError
from densecolor.evaluation.names import TRUTH


class Row(NamedTuple):
    """All figures of one picture under one system; NaN where a figure does not apply."""

    key: str
    system: str
    figures: dict  # measure to float
    label: int = -1  # class of the picture, -1 where unlabelled


class Figures:
    """Rows kept column by column: 8 bytes a figure. Iterating gives the rows, picture after picture.

    Attributes:
        keys: list of str, one a picture.
        labels: int array (pictures,).
        systems: list of names, the truth's first.
        measures: list of names.
        values: float64 (pictures, systems, measures).
    """

    def __init__(self, keys, labels, systems, measures, values):
        self.keys = keys
        self.labels = labels
        self.systems = systems
        self.measures = measures
        self.values = values

    @classmethod
    def of(cls, rows):
        """Of any iterable of Row in which every system has the same pictures in the same order."""
        if isinstance(rows, cls):
            return rows
        grouped = {TRUTH: []}
        for row in rows:
            grouped.setdefault(row.system, []).append(row)
        truth = grouped[TRUTH]
        keys, measures = [row.key for row in truth], list(truth[0].figures) if truth else []
        for system, of_system in grouped.items():
            if [row.key for row in of_system] != keys:
                raise DensecolorError(f"The rows of {system!r} are of other pictures than the truth's.")
        values = np.array(
            [[[row.figures[m] for m in measures] for row in of_system] for of_system in grouped.values()], np.float64
        )
        values = values.reshape(len(grouped), len(keys), len(measures)).swapaxes(0, 1)
        return cls(keys, np.array([row.label for row in truth], np.int32), list(grouped), measures, values)

    def __len__(self):
        return len(self.keys) * len(self.systems)

    def __iter__(self):
        for key, label, of_picture in zip(self.keys, self.labels.tolist(), self.values, strict=True):
            for system, figures in zip(self.systems, of_picture.tolist(), strict=True):
                yield Row(key, system, dict(zip(self.measures, figures, strict=True)), label)

    def column(self, system, measure):
        """Float64 array (pictures,)."""
        return self.values[:, self.systems.index(system), self.measures.index(measure)]
