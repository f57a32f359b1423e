"""Measure colorizers: per-image figures, their means with confidence intervals, a table and a report.

A comparison (`packed_comparison`, `folder_comparison`) gives pictures and what each system makes of them. `measuring`
turns one picture into figures by `measures`, `backgrounds` and `networks`; `engine` does that on all cores, in `parts`
that may be measured anywhere, kept, and put together. `result`, `statistics` and `paired` sum the rows up; `table`,
`formats`, `figures` and `report` show them. `evaluator` ties it together.
"""

from densecolor.evaluation.evaluator import evaluate
from densecolor.evaluation.evaluator import evaluate_folders
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.result import Evaluation
from densecolor.evaluation.rows import Row

__all__ = ["MEASURES", "Evaluation", "Row", "evaluate", "evaluate_folders"]
