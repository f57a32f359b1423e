"""Colorize pictures of any size: colour predicted small, joined with the full-size lightness."""

from densecolor.inference.files import Result
from densecolor.inference.files import colorize_files
from densecolor.inference.picture import colorize
from densecolor.inference.plan import plan_outputs

__all__ = ["Result", "colorize", "colorize_files", "plan_outputs"]
