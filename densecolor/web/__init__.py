"""A page on one's own machine to drop pictures on; the library's inference does the work."""

from densecolor.web.limits import Limits
from densecolor.web.server import serve

__all__ = ["Limits", "serve"]
