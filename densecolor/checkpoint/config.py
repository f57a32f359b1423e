"""A model's configuration, read as data: which of our classes, with which plain arguments."""

import inspect
import json

import keras

from densecolor.errors import CheckpointError
from densecolor.models import PRESETS

COLORIZERS = {keras.saving.get_registered_name(model_class): model_class for model_class, _ in PRESETS.values()}
DTYPES = ("bfloat16", "float16", "float32", "float64", "mixed_bfloat16", "mixed_float16")
# The largest value of an argument: generous, since `archive` also compares the model with the size of its weights.
LIMITS = {
    "branch_size": 512,
    "growth_rate": 128,
    "layers_per_block": 64,
    "num_classes": 1_000_000,
    "stem_strides": 16,
    "working_size": 65_536,
}
MAX_INTEGER = 4096
MAX_LENGTH = 16  # of a list
MAX_TEXT = 100


def build_model(text, path):
    """Build the model that a configuration describes.

    Args:
        text: bytes of `config.json`.
        path: the file they come from, for messages.

    Returns:
        An untrained `keras.Model` of a class in `COLORIZERS`.

    Raises:
        CheckpointError: another class, an unknown argument, or a value that is not plain or too large.
    """
    try:
        config = json.loads(text)
        name, arguments = config["registered_name"], config["config"]
        model_class = COLORIZERS.get(name)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CheckpointError(f"{path} has a config.json that is not of a Keras model: {error!r}") from error
    if model_class is None:
        raise CheckpointError(
            f"{path} holds {str(name)[:MAX_TEXT]!r}, which is not one of our models ({', '.join(COLORIZERS)}). If you "
            "know and trust its origin, load it with trust=True (--trust-checkpoint)."
        )
    _check_arguments(arguments, model_class, path)
    if "branch_weights" in arguments:  # a file never causes a download, nor opens another file
        arguments = arguments | {"branch_weights": None}
    try:
        return model_class(**arguments)
    except Exception as error:  # whatever a constructor makes of plain values of the wrong kind
        raise CheckpointError(f"{path} describes a {model_class.__name__} that cannot be built: {error}") from error


def _check_arguments(arguments, model_class, path):
    known = inspect.signature(model_class).parameters
    if not isinstance(arguments, dict) or not set(arguments) <= set(known):
        unknown = sorted(set(arguments) - set(known)) if isinstance(arguments, dict) else arguments
        raise CheckpointError(
            f"{path} has arguments that {model_class.__name__} does not know: {str(unknown)[:MAX_TEXT]}. "
            "A newer densecolor may have written it."
        )
    for name, value in arguments.items():
        if not _is_plain(value, LIMITS.get(name, MAX_INTEGER)) or (name == "dtype" and value not in DTYPES):
            raise CheckpointError(f"{path} has a value that is not allowed: {name}={str(value)[:MAX_TEXT]}.")


def _is_plain(value, limit):
    if isinstance(value, list):
        return len(value) <= MAX_LENGTH and all(type(item) is int and 0 < item <= limit for item in value)
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    if type(value) in (int, float):
        return 0 <= value <= limit
    return value is None or isinstance(value, bool)
