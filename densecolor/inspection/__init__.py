"""What a packed folder holds: a table, its colours as a histogram, a contact sheet, and the bins of its colours."""

from densecolor.inspection.ab_prior import compute_ab_prior
from densecolor.inspection.ab_prior import read_ab_prior
from densecolor.inspection.ab_prior import write_ab_prior
from densecolor.inspection.colors import ab_histogram
from densecolor.inspection.inspector import inspect
from densecolor.inspection.result import Inspection
from densecolor.inspection.result import ShardSummary

__all__ = [
    "Inspection",
    "ShardSummary",
    "ab_histogram",
    "compute_ab_prior",
    "inspect",
    "read_ab_prior",
    "write_ab_prior",
]
