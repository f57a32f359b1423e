"""A model's configuration, read as data: which of our classes, with which plain arguments."""

import inspect
import json

import keras

from densecolor.checkpoint.size import least_parameters
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.models import PRESETS
from densecolor.models.mask_head import colorizer_class

COLORIZERS = {keras.saving.get_registered_name(model_class): model_class for model_class, _ in PRESETS.values()}
DTYPES = ("bfloat16", "float16", "float32", "float64", "mixed_bfloat16", "mixed_float16")
# The largest value of an argument: generous, since a model must also fit the size of its file.
LIMITS = {
    "blocks": 64,
    "branch_size": 512,
    "depth": 8,
    "global_size": 1024,
    "growth_rate": 128,
    "layers_per_block": 64,
    "logit_count": 100_000,
    "mask_width": 512,
    "noise_seed": 2**31 - 1,
    "map_size": 512,
    "noise_layers": 16,
    "num_classes": 1_000_000,
    "stem_strides": 16,
    "width": 8,
    "working_size": 65_536,
}
MAX_INTEGER = 4096
MAX_LENGTH = 16  # of a list
MAX_TEXT = 100
FILES = {"branch_weights", "teacher_weights"}  # arguments that name files
# Arguments that are the options of another model, and the arguments that name it.
NESTED = {"colorizer_options": "colorizer"}


def check_savable(model):
    """Check that `load_model` would read a model back; best done before a long training.

    Args:
        model: any object.

    Raises:
        CheckpointError: it is no colorizer of `densecolor.models`, or has an argument beyond what files may have.

    Example:
        >>> check_savable(densecolor.models.create("dense_tiny", num_classes=2_000_000))
        Traceback (most recent call last):
        densecolor.errors.CheckpointError: Model 'dense_colorizer' has a value that is not allowed: num_classes=2000000.
    """
    if type(model) not in COLORIZERS.values():
        raise CheckpointError(f"Only colorizers of densecolor.models are saved. Received: {type(model).__name__}.")
    _check_arguments(model.get_config(), type(model), f"Model {model.name[:MAX_TEXT]!r}")


def build_model(text, path, file_size):
    """Build the model that a configuration describes.

    Args:
        text: bytes of `config.json`.
        path: the file they come from, for messages.
        file_size: its bytes; a model with more parameters is not built.

    Returns:
        An untrained `keras.Model` of a class in `COLORIZERS`.

    Raises:
        CheckpointError: another class, an unknown argument, or a value that is not plain or too large,
            or a model too large for the file.
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
    arguments = _without_files(arguments)
    try:
        least = least_parameters(model_class, arguments)
        fits = least <= file_size  # weights have 2 bytes or more; someone may have compressed them
        model = model_class(**arguments) if fits else None
    except Exception as error:  # whatever comes of plain values of the wrong kind
        raise CheckpointError(f"{path} describes a {model_class.__name__} that cannot be built: {error}") from error
    if not fits:
        raise CheckpointError(
            f"{path} describes a {model_class.__name__} of more than {least:,} parameters, but has only "
            f"{file_size:,} bytes."
        )
    return model


def _without_files(arguments):
    """A file never causes a download, nor opens another file."""
    changed = {name: _without_files(arguments[name]) for name in NESTED if isinstance(arguments.get(name), dict)}
    changed |= dict.fromkeys(FILES & set(arguments))
    return arguments | changed


def _check_arguments(arguments, model_class, owner):
    known = inspect.signature(model_class).parameters
    if not isinstance(arguments, dict) or not set(arguments) <= set(known):
        unknown = sorted(set(arguments) - set(known)) if isinstance(arguments, dict) else arguments
        raise CheckpointError(
            f"{owner} has arguments that {model_class.__name__} does not know: {str(unknown)[:MAX_TEXT]}. "
            "A newer densecolor may have written it."
        )
    for name, value in arguments.items():
        if name in NESTED and isinstance(value, dict):
            # Only a model that has no options of another one itself can be named.
            _check_arguments(value, _class_inside(arguments.get(NESTED[name]), owner), owner)
            continue
        if not _is_plain(value, LIMITS.get(name, MAX_INTEGER)) or (name == "dtype" and value not in DTYPES):
            raise CheckpointError(f"{owner} has a value that is not allowed: {name}={str(value)[:MAX_TEXT]}.")


def _class_inside(name, owner):
    try:
        return colorizer_class(name)
    except (DensecolorError, TypeError) as error:  # the latter where it is no name at all
        raise CheckpointError(f"{owner} is made of {str(name)[:MAX_TEXT]!r}: {error}") from error


def _is_plain(value, limit):
    if isinstance(value, list):
        return len(value) <= MAX_LENGTH and all(type(item) is int and 0 < item <= limit for item in value)
    if isinstance(value, str):
        return len(value) <= MAX_TEXT
    if type(value) in (int, float):
        return 0 <= value <= limit
    return value is None or isinstance(value, bool)
