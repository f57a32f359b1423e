"""Colours judged by people: a study made from systems' pictures, served as a web page, and evaluated."""

from densecolor.study.creation import NewStudy
from densecolor.study.creation import new
from densecolor.study.results import Results
from densecolor.study.results import results
from densecolor.study.server import serve

__all__ = ["NewStudy", "Results", "new", "results", "serve"]
