"""The trained models that come with the package."""

import json
from pathlib import Path

from densecolor.errors import CheckpointError

FOLDER = Path(__file__).parents[1] / "models" / "weights"
DEFAULT = "default"


def shipped_models():
    """The names that `load_model` knows beside paths.

    Example:
        >>> shipped_models()
        ['default']
    """
    return sorted(path.stem for path in FOLDER.glob("*.keras"))


def shipped_path(name=DEFAULT):
    """The file of a model that comes with the package.

    Args:
        name: one of `shipped_models()`.

    Returns:
        Path.

    Raises:
        CheckpointError: no model of this name comes with this package.
    """
    if name not in shipped_models():
        raise CheckpointError(
            f"No model {name!r} comes with this densecolor, but {', '.join(shipped_models()) or 'none'}. Name a "
            "checkpoint or a run directory."
        )
    return FOLDER / f"{name}.keras"


def shipped_card(name=DEFAULT):
    """What is known of a model that comes with the package: how it was trained, and how good it is.

    Args:
        name: one of `shipped_models()`.

    Returns:
        dict, as docs/default-model.md tells it in words; `sha256` is that of the file.

    Raises:
        CheckpointError: as `shipped_path`.

    Example:
        >>> shipped_card()["model"]
        'resunet'
    """
    return json.loads(shipped_path(name).with_suffix(".json").read_text(encoding="utf-8"))
