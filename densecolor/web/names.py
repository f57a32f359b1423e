"""Names of uploaded files: labels that people know them by, and never paths."""

import re

_UNFIT = re.compile(r"[^\w .,()+@=-]+")  # \w knows letters of all alphabets
_LONGEST = 80
_DEVICES = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")  # what Windows takes for something else


def clean_name(name):
    """A file name that is safe on every system, with the suffix that it had.

    Args:
        name: str, whatever was sent; folders in it are dropped.

    Returns:
        str, never empty, hidden, or longer than 80 characters.

    Example:
        >>> clean_name("../../etc/my<holiday>.JPG"), clean_name("..")
        ('my_holiday_.JPG', 'picture')
    """
    last = re.split(r"[/\\]", name)[-1]
    cleaned = _UNFIT.sub("_", last).strip(" .")
    if len(cleaned) > _LONGEST:
        stem, dot, suffix = cleaned.rpartition(".")
        suffix = dot + suffix if stem and len(suffix) < 8 else ""
        cleaned = cleaned[: _LONGEST - len(suffix)] + suffix
    if _DEVICES.match(cleaned):
        cleaned = f"_{cleaned}"
    return cleaned or "picture"


def unique_names(names):
    """Clean names of which no two are the same, even where case does not count or suffixes become ".png".

    Args:
        names: list of str.

    Returns:
        list of str, in the same order.

    Example:
        >>> unique_names(["a.jpg", "x/A.JPG", "a.gif"])
        ['a.jpg', 'A-2.JPG', 'a-3.gif']
    """
    taken, unique = set(), []
    for name in map(clean_name, names):
        stem, dot, suffix = name.partition(".")
        number, candidate = 1, stem
        while candidate.casefold() in taken:
            number += 1
            candidate = f"{stem}-{number}"
        taken.add(candidate.casefold())
        unique.append(candidate + dot + suffix)
    return unique
