"""What films are called."""

import pathlib

# What the suffix of an output says of its container; all of these can hold H.264.
WRITABLE_FILM_SUFFIXES = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska"}
FILM_SUFFIXES = frozenset(
    {*WRITABLE_FILM_SUFFIXES, ".avi", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".ts", ".wmv", ".flv", ".ogv", ".3gp"}
)


def is_film(path):
    """Whether a path is called like a film, and is no folder.

    Example:
        >>> is_film("holiday.MP4"), is_film("holiday.png")
        (True, False)
    """
    path = pathlib.Path(path)
    return path.suffix.lower() in FILM_SUFFIXES and not path.is_dir()
