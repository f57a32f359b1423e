"""The `.keras` archive: a zip file of a configuration and of weights."""

import contextlib
import os
import struct
import tempfile
import zipfile
import zlib
from pathlib import Path

import keras

from densecolor.atomic import rename_durably
from densecolor.checkpoint.config import build_model
from densecolor.checkpoint.config import check_savable
from densecolor.checkpoint.half import halve_weights
from densecolor.checkpoint.shipped import shipped_models
from densecolor.checkpoint.shipped import shipped_path
from densecolor.checkpoint.weights import check_weights
from densecolor.errors import CheckpointError

WEIGHTS_MEMBER = "model.weights.h5"
MEMBERS = {"metadata.json", "config.json", WEIGHTS_MEMBER}
MAX_CONFIG_BYTES = 1 << 20
# Weights, two moments of an optimizer and an average of the weights, each of 4 bytes; and HDF5's own records.
MAX_BYTES_PER_PARAMETER = 16
MAX_RECORD_BYTES = 64 << 20
CHUNK_BYTES = 1 << 20

# All that zipfile raises for damaged, encrypted and foreign files.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    UnicodeDecodeError,
)


def save_model(model, path, half=False):
    """Write a model to a `.keras` file, which appears whole or not at all.

    Args:
        model: a colorizer of `densecolor.models`, compiled or not.
        path: file name ending in ".keras"; a file of this name is replaced.
        half: bool, store the weights in half precision (float16): a file of half the size, whose model computes in the
            precision of its own dtype policy as before.

    Raises:
        CheckpointError: the name does not end in ".keras", or the model is not one that `load_model` would read (see
            `check_savable`), or a weight is too large for half precision.

    Example:
        >>> save_model(densecolor.models.create("dense_tiny"), "tiny.keras")
    """
    path = Path(path)
    if path.suffix != ".keras":
        raise CheckpointError(f"A model's file name must end in '.keras'. Received: {str(path)!r}.")
    check_savable(model)
    partial = path.with_name(f".{path.stem}-{os.getpid()}.partial.keras")
    try:
        model.save(partial)
        if half:
            with tempfile.TemporaryDirectory() as folder:
                halve_weights(partial, WEIGHTS_MEMBER, Path(folder))
        with open(partial, "rb+") as file:
            os.fsync(file.fileno())
        rename_durably(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def load_model(path, trust=False):
    """Load a colorizer from a `.keras` file or a run directory, without trusting the file.

    The configuration is read as data, the model is built by our own constructor with plain arguments of bounded
    size, and the weights are copied after the structure of their HDF5 file was checked. The model is not compiled.

    Plain Keras reads the same files, `keras.saving.load_model(path)`, after `import densecolor.models`, which
    registers the classes; do that only with files that you made.

    Args:
        path: a `.keras` file; or a run directory, of which `best.keras` is taken, else `final.keras`; or the name of a
            model that comes with the package, "default", where there is no file or folder of this name.
        trust: True hands a file that is not one of ours to Keras (in its safe mode). Only for files whose origin
            you know.

    Returns:
        A `keras.Model`.

    Raises:
        CheckpointError: the file is missing, damaged, not one of ours, or carries what it must not.
        OSError: the weights cannot be unpacked into the folder for temporary files, which may be full.

    Example:
        >>> load_model("runs/first").working_size
        64
    """
    path = find_model_file(path)
    if trust:
        return _load_trusted(path)
    with _reading(path):
        archive = zipfile.ZipFile(path)
    with archive:
        return _load_from(archive, path)


@contextlib.contextmanager
def _reading(path):
    try:
        yield
    except _UNREADABLE as error:
        raise CheckpointError(f"{path} is not a whole .keras file: {error}") from error


def _load_trusted(path):
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise CheckpointError(f"Keras cannot load {path}: {error}") from error


def find_model_file(path):
    """The `.keras` file that a path names: itself, or in a run directory `best.keras`, else `final.keras`.

    Raises:
        CheckpointError: there is none.
    """
    path = Path(path)
    if path.is_dir():
        for name in ("best.keras", "final.keras"):
            if (path / name).exists():
                return path / name
        raise CheckpointError(f"{path} holds neither best.keras nor final.keras. Name a run directory or a file.")
    if str(path) in shipped_models() and not path.exists():
        return shipped_path(str(path))
    if not path.exists():
        raise CheckpointError(f"There is no model file {str(path)!r}.")
    return path


def _load_from(archive, path):
    members = _check_members(archive, path)
    if members["config.json"].file_size > MAX_CONFIG_BYTES:
        raise CheckpointError(f"{path} has a config.json of {members['config.json'].file_size:,} bytes.")
    with _reading(path):
        config = archive.read("config.json")
    model = build_model(config, path, path.stat().st_size)
    weights = members[WEIGHTS_MEMBER]
    limit = MAX_BYTES_PER_PARAMETER * model.count_params() + MAX_RECORD_BYTES
    if weights.file_size > limit:
        raise CheckpointError(f"{path} has {weights.file_size:,} bytes of weights; its model needs at most {limit:,}.")
    with tempfile.TemporaryDirectory() as folder:
        extracted = Path(folder, WEIGHTS_MEMBER)
        with open(extracted, "wb") as target:
            target.writelines(_chunks(archive, weights, path))
        check_weights(extracted, model, path)
        try:
            model.load_weights(extracted)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise CheckpointError(f"The weights in {path} do not fit its model: {error}") from error
    return model


def _chunks(archive, member, path):
    """A member's bytes; errors of reading it, but not of what is done with them, are the file's."""
    with _reading(path), archive.open(member) as source:
        while chunk := source.read(CHUNK_BYTES):
            yield chunk


def _check_members(archive, path):
    """Exactly the three files that Keras writes: so no absolute names, no "..", none twice, none more."""
    names = [info.filename for info in archive.infolist()]
    if len(names) != len(MEMBERS) or set(names) != MEMBERS:
        shown = ", ".join(repr(name[:80]) for name in names[:5])
        raise CheckpointError(
            f"{path} is not a file of one of our models: it must hold exactly {sorted(MEMBERS)}. "
            f"Received: {len(names)} members, {shown}."
        )
    return {info.filename: info for info in archive.infolist()}
