"""Colorize pictures of any size: colour predicted small, joined with the full-size lightness."""

from densecolor.inference.control import controlled
from densecolor.inference.files import Result
from densecolor.inference.files import colorize_files
from densecolor.inference.hints import Hints
from densecolor.inference.hints import read_hints
from densecolor.inference.in_color import is_in_color
from densecolor.inference.picture import Colorized
from densecolor.inference.picture import colorize
from densecolor.inference.picture import colorize_with_account
from densecolor.inference.plan import plan_outputs

__all__ = [
    "Colorized",
    "Hints",
    "Result",
    "colorize",
    "colorize_files",
    "colorize_with_account",
    "controlled",
    "is_in_color",
    "plan_outputs",
    "read_hints",
]
