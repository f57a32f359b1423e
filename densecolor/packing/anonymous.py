"""Keys that say nothing: salted hashes in place of paths, and the private file that undoes them."""

import csv
import dataclasses
import hashlib
import io
from pathlib import Path

from densecolor.atomic import write_atomically
from densecolor.errors import SourceError

DIGEST_BYTES = 16
HEADER = ("key", "path")
SALT_ROW = "salt"


def anonymise(source, salt):
    """Replace the keys and groups of a source by hashes that nobody can tell without the salt.

    Args:
        source: Source.
        salt: up to 64 bytes.

    Returns:
        (Source, list of (hash, key)).

    Example:
        >>> hidden, pairs = anonymise(source, secrets.token_bytes(32))
        >>> hidden.entries[0].key
        '8c1f6d0e5b0e4b0f9d7d7a1c9d0a3f5e'
    """
    entries = [
        dataclasses.replace(
            entry,
            key=_hash(entry.key, salt),
            group=None if entry.group is None else _hash(entry.group, salt),
        )
        for entry in source.entries
    ]
    refused = [(_hash(key, salt), reason) for key, reason in source.refused]
    keys = [entry.key for entry in source.entries] + [key for key, _ in source.refused]
    hashes = [entry.key for entry in entries] + [key for key, _ in refused]
    pairs = list(dict.fromkeys(zip(hashes, keys, strict=True)))
    return dataclasses.replace(source, entries=entries, refused=refused), pairs


def write_mapping(path, salt, pairs):
    """Write which hash is which key, and the salt, into a CSV file that only its owner may read.

    Rows that the file has already stay, if they are of the same salt: several packings may share one file.

    Args:
        path: the file.
        salt: bytes.
        pairs: list of (hash, key), as from `anonymise`.

    Raises:
        SourceError: there is another file, which is no mapping.
        OSError: it cannot be written; what was there before is untouched.
    """
    old_salt, old_pairs = _read(path) if Path(path).exists() else (salt, [])
    pairs = dict.fromkeys([*(old_pairs if old_salt == salt else []), *pairs])
    text = io.StringIO(newline="")
    csv.writer(text).writerows([HEADER, (SALT_ROW, salt.hex()), *pairs])
    write_atomically(path, text.getvalue(), mode=0o600)


def read_salt(path):
    """The salt of a mapping file, as bytes.

    Raises:
        SourceError: the file is no mapping.
    """
    return _read(path)[0]


def _read(path):
    """The salt of a mapping file, and its list of (hash, key)."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, (name, salt), *pairs = map(tuple, csv.reader(file))
        if header == HEADER and name == SALT_ROW and all(len(pair) == 2 for pair in pairs):
            return bytes.fromhex(salt), pairs
    except (csv.Error, ValueError):
        pass
    raise SourceError(f"{path} is no mapping that densecolor-pack wrote. Name another file, which will be made.")


def _hash(text, salt):
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, key=salt, digest_size=DIGEST_BYTES).hexdigest()
