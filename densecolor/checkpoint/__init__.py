"""Save models, and load them without trusting the file.

Keras' safe mode has been bypassed again and again (CVE-2024-3660, CVE-2025-1550, CVE-2026-1462), so it is not our
boundary: `load_model` reads a file's configuration as data, builds one of our own classes with it, and copies numbers
into it. Nothing in the file is ever deserialised by name.
"""

from densecolor.checkpoint.archive import find_model_file
from densecolor.checkpoint.archive import load_model
from densecolor.checkpoint.archive import save_model
from densecolor.checkpoint.config import check_savable
from densecolor.checkpoint.foreign import import_model
from densecolor.checkpoint.shipped import shipped_card
from densecolor.checkpoint.shipped import shipped_models
from densecolor.checkpoint.shipped import shipped_path

__all__ = [
    "check_savable",
    "find_model_file",
    "import_model",
    "load_model",
    "save_model",
    "shipped_card",
    "shipped_models",
    "shipped_path",
]
