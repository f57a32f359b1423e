"""Which output each input picture becomes, decided before any work so that no picture is lost."""

import os
import pathlib

from densecolor.errors import ImageError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import WRITABLE_SUFFIXES
from densecolor.image_io import find_images_with_names
from densecolor.inference.volumes import VOLUME_SUFFIXES
from densecolor.inference.volumes import is_dicom_file
from densecolor.inference.volumes import is_dicom_name
from densecolor.inference.volumes import is_medical
from densecolor.inference.volumes import is_nifti_name
from densecolor.inference.volumes import is_unnamed_dicom
from densecolor.inference.volumes import suffix_of

_WRITABLE = (*WRITABLE_SUFFIXES, *VOLUME_SUFFIXES)
_INSTEAD = f"Choose a suffix from {', '.join(WRITABLE_SUFFIXES)}."


def plan_outputs(paths, output, pictures_only=False):
    """Give every picture that files, folders and globs name a place of its own.

    One file and an `output` with a picture's suffix give that file. Else `output` is a folder, and every picture keeps
    its path below the folder or the fixed part of the glob that it was found from, and its suffix; formats that cannot
    be written become PNG. DICOM and NIfTI files stay what they are; DICOM without a suffix of its own gets ".dcm".
    Pictures that would then share a name get their own folders back, as far as these differ,
    and where that does not help the suffix that they had: a.gif beside a.png becomes a.gif.png.

    Args:
        paths: str or path, or list of them.
        output: `pathlib.Path`.
        pictures_only: bool; True turns DICOM into PNG too and searches no folder for medical files.

    Returns:
        dict of source to target, both `pathlib.Path`, in the order of `image_io.find_images`.

    Raises:
        ImageError: an input does not exist, all are earlier outputs, several pictures would go into one file, two get
            the same output, or an output is an input, cannot be written, or is of another kind than its input.

    Example:
        >>> plan_outputs(["scans"], pathlib.Path("colour"))
        {PosixPath('scans/old/a.gif'): PosixPath('colour/old/a.png')}
    """
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if is_one_file(paths, output):
        plan = {pathlib.Path(paths[0]): output}
        _check_kinds(pathlib.Path(paths[0]), output, pictures_only)
    else:
        found = find_images_with_names(paths, None if pictures_only else is_medical)
        plan = _plan_folder(found, output, pictures_only)
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
        source: [_numbered(target, number) for number in range(1, count + 1)] for source, target in plan.items()
    }
    _check((source, target) for source, targets in numbered.items() for target in targets)
    return numbered


def _numbered(target, number):
    suffix = suffix_of(target)
    return target.with_name(f"{target.name.removesuffix(suffix)}-{number}{suffix}")


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
        if suffix_of(target).lower() not in _WRITABLE:
            raise ImageError(f"{target} cannot be written. Choose a suffix from {', '.join(_WRITABLE)}.")
        if os.path.realpath(target) in sources:
            raise ImageError(f"{target} would replace an input picture. Choose another output.")
        if target in taken:
            raise ImageError(
                f"{taken[target]} and {source} would both become {target}. Colorize them into two folders."
            )
        taken[target] = source


def _check_kinds(source, target, pictures_only):
    """Refuse an output of another kind than its input."""
    if pictures_only and suffix_of(target).lower() in VOLUME_SUFFIXES:
        raise ImageError(f"{target}: several pictures in one are no medical file. {_INSTEAD}")
    if is_nifti_name(source) and not is_nifti_name(target):
        raise ImageError(f"{target}: the colours of {source} are a volume too. Name a file ending in .nii or .nii.gz.")
    if is_nifti_name(target) and not is_nifti_name(source):
        raise ImageError(f"{target}: only colours of a NIfTI volume can be one, and {source} is none. {_INSTEAD}")
    if is_dicom_name(target) and not is_dicom_file(source):
        raise ImageError(f"{target}: only colours of a DICOM file can be one, and {source} is none. {_INSTEAD}")


def _plan_folder(found, folder, pictures_only):
    if _names_a_picture(folder):
        raise ImageError(f"{len(found)} pictures cannot go into the one file {folder}. Name a folder.")
    if folder.exists() and not folder.is_dir():
        raise ImageError(f"{folder} is a file. Name a folder, or a file ending in {', '.join(_WRITABLE)}.")
    names = _without_earlier_outputs(found, folder)
    if not names:
        raise ImageError(f"All pictures that were found are earlier outputs, in {folder}. Name other pictures.")
    suffixes = {source: _output_suffix(source, pictures_only) for source in names}
    for names_apart in (_by_folder, _by_suffix):
        for clashing in _clashes(names, suffixes):
            names.update(names_apart(clashing, names, suffixes))
    return {source: folder / _writable(name, suffixes[source]) for source, name in names.items()}


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


def _output_suffix(source, pictures_only):
    """The suffix that an output gets, and whether it takes the place of the source's own."""
    suffix = suffix_of(source)
    kept = WRITABLE_SUFFIXES if pictures_only else _WRITABLE
    if suffix.lower() in kept:
        return suffix, True
    if not pictures_only and suffix.lower() not in IMAGE_SUFFIXES and is_unnamed_dicom(source):
        return ".dcm", False  # what looks like a suffix is often a part of a number
    return ".png", True


def _writable(name, suffix):
    suffix, in_place = suffix
    if in_place and name.name.endswith(suffix):
        return name
    stem = name.name.removesuffix(suffix_of(name)) if in_place else name.name
    return name.with_name(stem + suffix)


def _clashes(names, suffixes):
    """Lists of the sources that would get the same output."""
    sharing = {}
    for source, name in names.items():
        sharing.setdefault(_writable(name, suffixes[source]), []).append(source)
    return [sources for sources in sharing.values() if len(sources) > 1]


def _by_folder(sources, names, suffixes):
    """Names below the deepest folder that all of these pictures share."""
    absolute = {source: os.path.abspath(source) for source in sources}
    root = os.path.commonpath([os.path.dirname(path) for path in absolute.values()])
    return {source: pathlib.Path(os.path.relpath(path, root)) for source, path in absolute.items()}


def _by_suffix(sources, names, suffixes):
    """Names with the old suffix before the new one, for those that get a new one."""
    converted = {source: names[source] for source in sources if _is_renamed(names[source], suffixes[source])}
    return {source: name.with_name(name.name + suffixes[source][0]) for source, name in converted.items()}


def _is_renamed(name, suffix):
    return name != _writable(name, suffix)


def _names_a_picture(path):
    return suffix_of(path).lower() in {*IMAGE_SUFFIXES, *VOLUME_SUFFIXES} and not path.is_dir()
