"""Measure colorizers: per-image figures, their means with confidence intervals, a table and a report.

`systems` and `baselines` make everything that is compared a function from lightness to ab; `measures` turns one
picture and system into a row of figures, the unit that may be computed anywhere and merged; `result` and
`statistics` sum the rows up; `table`, `figures` and `report` show them. `evaluator` ties it together.
"""

from densecolor.evaluation.evaluator import evaluate
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.measures import Row
from densecolor.evaluation.result import Evaluation

__all__ = ["MEASURES", "Evaluation", "Row", "evaluate"]
