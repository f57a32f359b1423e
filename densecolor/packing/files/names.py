"""Names of files: which are no inputs, which lead out of an archive, and how they are written."""

import re

MAX_BYTES = 1 << 31  # of one file: more than the largest picture, less than what would fill the memory
TOO_LARGE = f"larger than {MAX_BYTES >> 30} GiB"

_HIDDEN = re.compile(r"(^|/)(\.[^/.]|\.\.[^/]|__MACOSX/)")
_OUTSIDE = re.compile(r"(^|/)\.\.(/|$)|^/|^[A-Za-z]:")


def is_hidden(name):
    """Whether a path has a hidden part (".git/config", "._cat.jpg") or lies in macOS's __MACOSX."""
    return _HIDDEN.search(name) is not None


def leads_outside(name):
    """Whether a path inside an archive would leave the folder that it is unpacked into."""
    return _OUTSIDE.search(name.replace("\\", "/")) is not None


def without_empty_parts(name):
    """A path without empty parts and ".", which archives of a current folder begin with: "./cat//1.jpg"."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))


def escape_undecodable(path):
    r"""A path as valid UTF-8: bytes that are not (lone surrogates in Python) become %XX.

    Example:
        >>> escape_undecodable("caf\udce9.jpg")
        'caf%E9.jpg'
    """
    return re.sub("[\udc80-\udcff]", lambda match: f"%{ord(match[0]) & 0xFF:02X}", path)
