"""Which output each input picture becomes, decided before any work so that no picture is lost."""

import os
import pathlib

from densecolor.errors import ImageError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import WRITABLE_SUFFIXES
from densecolor.image_io import find_images_with_names


def plan_outputs(paths, output):
    """Give every picture that files, folders and globs name a place of its own.

    One file and an `output` with a picture's suffix give that file. Else `output` is a folder, and every picture keeps
    its path below the folder or the fixed part of the glob that it was found from, and its suffix; formats that cannot
    be written become PNG. Pictures that would then share a name get their own folders back, as far as these differ,
    and where that does not help the suffix that they had: a.gif beside a.png becomes a.gif.png.

    Args:
        paths: str or path, or list of them.
        output: `pathlib.Path`.

    Returns:
        dict of source to target, both `pathlib.Path`, in the order of `image_io.find_images`.

    Raises:
        ImageError: an input does not exist, all are earlier outputs, several pictures would go into one file, two get
            the same output, or an output is an input or cannot be written.

    Example:
        >>> plan_outputs(["scans"], pathlib.Path("colour"))
        {PosixPath('scans/old/a.gif'): PosixPath('colour/old/a.png')}
    """
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if is_one_file(paths, output):
        plan = {pathlib.Path(paths[0]): output}
    else:
        plan = _plan_folder(find_images_with_names(paths), output)
    _check(plan.items())
    return plan


def is_one_file(paths, output):
    """Whether `output` is to be one file, made from one file."""
    return len(paths) == 1 and pathlib.Path(paths[0]).is_file() and _names_a_picture(output)


def number_outputs(plan, count):
    """Give every picture several outputs: a.png becomes a-1.png, a-2.png and so on.

    Args:
        plan: dict of source to target, of `plan_outputs`.
        count: int.

    Returns:
        dict of source to list of targets.

    Raises:
        ImageError: one of them is an input, or another one's output.

    Example:
        >>> number_outputs({pathlib.Path("a.gif"): pathlib.Path("b/a.png")}, 2)
        {PosixPath('a.gif'): [PosixPath('b/a-1.png'), PosixPath('b/a-2.png')]}
    """
    numbered = {
        source: [target.with_name(f"{target.stem}-{number}{target.suffix}") for number in range(1, count + 1)]
        for source, target in plan.items()
    }
    _check((source, target) for source, targets in numbered.items() for target in targets)
    return numbered


def refuse_existing(targets):
    """Raise where outputs exist already.

    Raises:
        ImageError: the first of them, and how many more there are.
    """
    existing = [target for target in targets if os.path.lexists(target)]
    if existing:
        others = f" and {len(existing) - 1:,} more" if len(existing) > 1 else ""
        raise ImageError(
            f"{existing[0]}{others} would be overwritten. Choose another output, use --resume to go on with a run that "
            "was interrupted, or --overwrite."
        )


def _check(pairs):
    pairs = list(pairs)
    sources = {os.path.realpath(source) for source, _ in pairs}
    taken = {}
    for source, target in pairs:
        if target.suffix.lower() not in WRITABLE_SUFFIXES:
            raise ImageError(f"{target} cannot be written. Choose a suffix from {', '.join(WRITABLE_SUFFIXES)}.")
        if os.path.realpath(target) in sources:
            raise ImageError(f"{target} would replace an input picture. Choose another output.")
        if target in taken:
            raise ImageError(
                f"{taken[target]} and {source} would both become {target}. Colorize them into two folders."
            )
        taken[target] = source


def _plan_folder(found, folder):
    if _names_a_picture(folder):
        raise ImageError(f"{len(found)} pictures cannot go into the one file {folder}. Name a folder.")
    if folder.exists() and not folder.is_dir():
        raise ImageError(f"{folder} is a file. Name a folder, or a file ending in {', '.join(WRITABLE_SUFFIXES)}.")
    names = _without_earlier_outputs(found, folder)
    if not names:
        raise ImageError(f"All pictures that were found are earlier outputs, in {folder}. Name other pictures.")
    for names_apart in (_by_folder, _by_suffix):
        for clashing in _clashes(names):
            names.update(names_apart(clashing, names))
    return {source: folder / _writable(name) for source, name in names.items()}


def _without_earlier_outputs(found, folder):
    """The pictures without those in the output folder, where that lies in a folder which was searched."""
    folder = os.path.realpath(folder)
    around = {}  # whether a searched folder holds the output folder
    kept = {}
    for source, name in found.items():
        root = source.parents[len(name.parts) - 1]
        if root not in around:
            around[root] = folder.startswith(os.path.join(os.path.realpath(root), ""))
        if not (around[root] and os.path.realpath(source).startswith(os.path.join(folder, ""))):
            kept[source] = name
    return kept


def _writable(name):
    return name if name.suffix.lower() in WRITABLE_SUFFIXES else name.with_suffix(".png")


def _clashes(names):
    """Lists of the sources that would get the same output."""
    sharing = {}
    for source, name in names.items():
        sharing.setdefault(_writable(name), []).append(source)
    return [sources for sources in sharing.values() if len(sources) > 1]


def _by_folder(sources, names):
    """Names below the deepest folder that all of these pictures share."""
    absolute = {source: os.path.abspath(source) for source in sources}
    root = os.path.commonpath([os.path.dirname(path) for path in absolute.values()])
    return {source: pathlib.Path(os.path.relpath(path, root)) for source, path in absolute.items()}


def _by_suffix(sources, names):
    """Names with the old suffix before the new one, for those that get a new one."""
    converted = {source: names[source] for source in sources if names[source] != _writable(names[source])}
    return {source: name.with_name(f"{name.name}.png") for source, name in converted.items()}


def _names_a_picture(path):
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()
