"""Sources of pictures: one layout a file, found by name in `LAYOUTS`."""

from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.opening import LAYOUTS
from densecolor.packing.sources.opening import open_source
from densecolor.packing.sources.opening import open_sources

__all__ = ["LAYOUTS", "Entry", "Source", "open_source", "open_sources"]
