"""The authors' own released weights, turned into models of ours."""

from densecolor.checkpoint.foreign.importer import SYSTEMS
from densecolor.checkpoint.foreign.importer import import_model

__all__ = ["SYSTEMS", "import_model"]
