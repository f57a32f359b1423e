"""Exported models kept for the next time, beside the checkpoint or in the user's cache folder, and signed.

A checkpoint is not trusted, and so is not what lies beside it: an export made by somebody else could give any colours,
and reach whatever in its runtime's reader is broken. So each is signed with a key that only the user can read, together
with the checkpoint's hash; what is unsigned, damaged, of another checkpoint or version is made again.
"""

import hashlib
import hmac
import importlib.metadata
import io
import json
import os
import secrets
import stat
import zipfile
from pathlib import Path

import densecolor
from densecolor.atomic import write_atomically
from densecolor.shards import sha256_of

MAGIC = b"densecolor exported model 1\n"
SIGNATURE_BYTES = 32
PACKAGE = Path(densecolor.__file__).resolve().parent  # nothing is written beside the models in it
_PACKAGES = {"openvino": "openvino", "onnx": "onnxruntime"}


class Kept:
    """The place of one checkpoint's export for one runtime.

    Args:
        checkpoint: Path of a `.keras` file.
        runtime: "openvino" or "onnx".
        trust: whether the checkpoint is loaded as one to be trusted; what was exported so serves no other load.

    Raises:
        OSError: the checkpoint cannot be read.
    """

    def __init__(self, checkpoint, runtime, trust):
        self._checkpoint = Path(checkpoint)
        self._digest = sha256_of(self._checkpoint)
        about = {
            "checkpoint": self._digest,
            "runtime": runtime,
            "trust": trust,
            "densecolor": densecolor.__version__,
            "package": importlib.metadata.version(_PACKAGES[runtime]),
        }
        self._about = json.dumps(about, sort_keys=True).encode()
        name = f"{hashlib.sha256(self._about).hexdigest()[:32]}.{runtime}"
        self._paths = [user_folder() / "exports" / name]
        if not self._checkpoint.resolve().is_relative_to(PACKAGE):
            self._paths.insert(0, self._checkpoint.with_name(f"{self._checkpoint.name}.{runtime}"))

    def read(self):
        """The files that were kept, dict of name to bytes; None if there are none to be believed."""
        key = _read_key()
        for path in self._paths if key else ():
            files = self._open(path, key)
            if files is not None:
                return files
        return None

    def write(self, files):
        """Keep files for the next time.

        Args:
            files: dict of name to bytes.

        Returns:
            Path of where they are kept, or None where nothing can be written, or the checkpoint is no longer the same.
        """
        if sha256_of(self._checkpoint) != self._digest:
            return None
        try:
            key = _read_key() or _make_key()
        except OSError:
            return None
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
        content = packed.getvalue()
        for path in self._paths:
            if path.exists() and not _is_ours(path):
                continue  # another user's, who would have to make it again
            try:
                if path is self._paths[-1]:
                    path.parent.mkdir(parents=True, exist_ok=True)
                write_atomically(path, MAGIC + self._sign(content, key) + content)
            except OSError:
                continue
            return path
        return None

    def _open(self, path, key):
        try:
            kept = path.read_bytes()
        except OSError:
            return None
        start = len(MAGIC) + SIGNATURE_BYTES
        content = kept[start:]
        if not hmac.compare_digest(kept[:start], MAGIC + self._sign(content, key)):
            return None
        with zipfile.ZipFile(io.BytesIO(content)) as archive:  # whole, since it is signed
            return {name: archive.read(name) for name in archive.namelist()}

    def _sign(self, content, key):
        # The length keeps one part from passing for a piece of the other.
        return hmac.digest(key, len(self._about).to_bytes(8, "big") + self._about + content, "sha256")


def user_folder():
    """Where densecolor keeps what can be made again: `$XDG_CACHE_HOME/densecolor`, by default in `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "densecolor")


def _key_path():
    return user_folder() / "key"


def _read_key():
    """The user's key, or None if there is none that nobody else could have read or written."""
    path = _key_path()
    try:
        key, mode = path.read_bytes(), path.lstat().st_mode
    except OSError:
        return None
    private = stat.S_ISREG(mode) and not mode & (stat.S_IRWXG | stat.S_IRWXO)
    return key if private and _is_ours(path) and len(key) == SIGNATURE_BYTES else None


def _make_key():
    key = secrets.token_bytes(SIGNATURE_BYTES)
    user_folder().mkdir(parents=True, exist_ok=True, mode=0o700)
    write_atomically(_key_path(), key, mode=0o600)
    return key


def _is_ours(path):
    return not hasattr(os, "geteuid") or path.lstat().st_uid == os.geteuid()
