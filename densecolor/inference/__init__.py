"""Colorize pictures of any size: colour predicted small, joined with the full-size lightness."""

from densecolor.inference.files import Result
from densecolor.inference.files import colorize_files
from densecolor.inference.picture import colorize

__all__ = ["Result", "colorize", "colorize_files"]
