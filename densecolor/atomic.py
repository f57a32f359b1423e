"""Files that are whole or not there: written under another name, brought to the disk, then renamed."""

import contextlib
import os
import secrets
from pathlib import Path

PARTIAL_SUFFIX = ".partial"


def partial_path(path):
    """A name beside `path` that no other process uses, for a file in the making; it ends in ".partial"."""
    path = Path(path)
    return path.with_name(f"{path.name}.{secrets.token_hex(4)}{PARTIAL_SUFFIX}")


def remove_partial_files(folder):
    """Remove what interrupted writing has left in a folder."""
    for path in Path(folder).glob(f"*{PARTIAL_SUFFIX}"):
        path.unlink(missing_ok=True)


def write_atomically(path, data, mode=0o666):
    """Write a file so that, whatever happens, it has its old content or the new one.

    Args:
        path: the file.
        data: bytes, or str, which becomes UTF-8.
        mode: permissions of a new file, less the process' umask.

    Raises:
        OSError: it cannot be written; the old file, if there is one, is untouched.

    Example:
        >>> write_atomically("result.json", "{}")
    """
    path = Path(path)
    partial = partial_path(path)
    data = data.encode() if isinstance(data, str) else data
    try:
        with open(partial, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        rename_durably(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def rename_durably(source, target):
    """Rename a file, replacing the target, and bring the rename itself to the disk."""
    os.replace(source, target)
    with contextlib.suppress(PermissionError):  # a folder that may be written to but not listed
        sync(Path(target).parent)


def sync(path):
    """Bring a file's data, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
