"""What a packed folder holds: a table, its colours as a histogram, and a contact sheet."""

from densecolor.inspection.colors import ab_histogram
from densecolor.inspection.inspector import inspect
from densecolor.inspection.result import Inspection
from densecolor.inspection.result import ShardSummary

__all__ = ["Inspection", "ShardSummary", "ab_histogram", "inspect"]
