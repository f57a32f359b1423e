"""Sources whose paths must not reach OUT: medical ones, whose files are often called after patients."""

import os
import secrets
from pathlib import Path

from densecolor.errors import DensecolorError
from densecolor.packing.anonymous import anonymise
from densecolor.packing.anonymous import read_salt
from densecolor.packing.unfinished import kept_salt

SALT_BYTES = 32


def hide_names(source, out, mapping=None):
    """Replace the keys and classes of a source by salted hashes.

    The salt is a new one for every packing, kept with its unfinished state so that it can go on, and forgotten when it
    is finished.

    Args:
        source: Source.
        out: Path of the folder to make.
        mapping: a private file for the salt and for which key is which path, or None; if it exists, its salt is used.

    Returns:
        (Source, salt, pairs): the source with other keys, the bytes for `Unfinished`, and what `write_mapping` takes.

    Raises:
        DensecolorError: `mapping` is no such file, or lies inside `out`.
    """
    if mapping is not None and Path(mapping).resolve().is_relative_to(out.resolve()):
        raise DensecolorError(f"The mapping {mapping} would lie inside {out}, which is passed on. Name another place.")
    salt = _salt(out, mapping)
    source, pairs = anonymise(source, salt)
    return source, salt, pairs


def _salt(out, mapping):
    if mapping is not None and os.path.exists(mapping):
        return read_salt(mapping)
    return kept_salt(out) or secrets.token_bytes(SALT_BYTES)
