"""Keys and classes that say nothing: salted hashes in place of names, and the private file that undoes them."""

import csv
import dataclasses
import hashlib
import io
from pathlib import Path

from densecolor.atomic import write_atomically
from densecolor.errors import SourceError

DIGEST_BYTES = 16
SALT_BYTES = range(16, 65)  # fewer can be guessed, more BLAKE2b does not take
HEADER = ("key", "path")
SALT_ROW = "salt"


def anonymise(source, salt):
    """Replace the keys, groups and class names of a source by hashes that nobody can tell without the salt.

    Frames of one file keep their numbers, so that they are known to belong together: "8c1f...#0001".

    Args:
        source: Source.
        salt: up to 64 bytes.

    Returns:
        (Source, list of (hash, key or class name)).

    Example:
        >>> hidden, pairs = anonymise(source, secrets.token_bytes(32))
        >>> hidden.entries[0].key
        '8c1f6d0e5b0e4b0f9d7d7a1c9d0a3f5e'
    """
    entries = [
        dataclasses.replace(
            entry,
            key=_hash_key(entry.key, entry.frame, salt),
            group=None if entry.group is None else _hash(entry.group, salt),
        )
        for entry in source.entries
    ]
    refused = [(_hash(key, salt), reason) for key, reason in source.refused]
    class_names = [_hash(name, salt) for name in source.class_names]
    names = [entry.key for entry in source.entries] + [key for key, _ in source.refused] + source.class_names
    hashes = [entry.key for entry in entries] + [key for key, _ in refused] + class_names
    pairs = list(dict.fromkeys(zip(hashes, names, strict=True)))
    return dataclasses.replace(source, entries=entries, refused=refused, class_names=class_names), pairs


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
        salt = bytes.fromhex(salt)
        is_ours = header == HEADER and name == SALT_ROW and len(salt) in SALT_BYTES
        if is_ours and all(len(pair) == 2 for pair in pairs):
            return salt, pairs
    except (csv.Error, ValueError):
        pass
    raise SourceError(f"{path} is no mapping that densecolor-pack wrote. Name another file, which will be made.")


def _hash_key(key, frame, salt):
    if frame is None:
        return _hash(key, salt)
    file, _, number = key.rpartition("#")
    return f"{_hash(file, salt)}#{number}"


def _hash(text, salt):
    data = text.encode("utf-8", "surrogateescape")
    return hashlib.blake2b(data, key=salt, digest_size=DIGEST_BYTES).hexdigest()
