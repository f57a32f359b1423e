"""Many pictures, from files to files."""

import dataclasses
import pathlib

from densecolor.errors import ImageError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import WRITABLE_SUFFIXES
from densecolor.image_io import find_images_with_names
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference.picture import as_model
from densecolor.inference.picture import colorize


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one picture.

    Attributes:
        source: its path.
        output: where its colours are, or would be.
        error: why it was not colorized, or None.
    """

    source: pathlib.Path
    output: pathlib.Path
    error: str | None = None


def colorize_files(paths, output, model, *, working_size=None, overwrite=False, trust=False, progress=None):
    """Colorize files, folders and globs; a picture that fails is reported and stops none of the others.

    One file and an `output` with a picture's suffix give that file. Else `output` is a folder, and every picture
    keeps its path below the folder or the fixed part of the glob that it was found from, and its suffix; formats that
    cannot be written (GIF, BMP) become PNG. A picture's depth and alpha are kept where its format has them (see
    `image_io.encode_image`).

    Args:
        paths: str or path, or list of them: files, folders (searched with their subfolders) or globs.
        output: str or path.
        model: Keras model, or path of a checkpoint or run directory; loaded once.
        working_size: see `colorize`.
        overwrite: bool; False refuses before any work if one of the outputs exists.
        trust: bool, for a `model` that is a path: see `densecolor.load_model`.
        progress: function `(done, total)`, called after each picture, or None.

    Returns:
        list of `Result`, in the order of `image_io.find_images`.

    Raises:
        ImageError: an input does not exist, all are earlier outputs, two pictures would get the same output, an
            output is an input, or exists already.
        CheckpointError: the model cannot be loaded, or is none that colorizes (see `colorize`).

    Example:
        >>> results = colorize_files(["scans", "more/*.png"], "colour", model="runs/first")
        >>> [result.source for result in results if result.error]
        []
    """
    plan = _plan([paths] if isinstance(paths, str | pathlib.Path) else list(paths), pathlib.Path(output), overwrite)
    model = as_model(model, trust)
    results = []
    for source, target in plan.items():
        results.append(_colorize_file(source, target, model, working_size, overwrite))
        if progress is not None:
            progress(len(results), len(plan))
    return results


def _colorize_file(source, target, model, working_size, overwrite):
    try:
        picture = read_image(source)
        rgb = colorize(picture.pixels, model, working_size)
        write_image(target, rgb, picture.alpha, overwrite=overwrite)
    except (ImageError, OSError) as error:
        return Result(source, target, str(error))
    return Result(source, target)


def _plan(paths, output, overwrite):
    """Which output each input becomes, checked so that no picture is lost."""
    if len(paths) == 1 and pathlib.Path(paths[0]).is_file() and _names_a_picture(output):
        plan = {pathlib.Path(paths[0]): output}
    else:
        plan = _plan_folder(find_images_with_names(paths), output)
    sources = {source.resolve() for source in plan}
    taken = {}
    for source, target in plan.items():
        if target.suffix.lower() not in WRITABLE_SUFFIXES:
            raise ImageError(f"{target} cannot be written. Choose a suffix from {', '.join(WRITABLE_SUFFIXES)}.")
        if target.resolve() in sources:
            raise ImageError(f"{target} would replace an input picture. Choose another output.")
        if target in taken:
            raise ImageError(
                f"{taken[target]} and {source} would both become {target}. Colorize them into two folders."
            )
        taken[target] = source
    existing = [] if overwrite else [target for target in taken if target.exists()]
    if existing:
        others = f" and {len(existing) - 1} more" if len(existing) > 1 else ""
        raise ImageError(f"{existing[0]}{others} would be overwritten. Choose another output, or use --overwrite.")
    return plan


def _plan_folder(found, folder):
    if _names_a_picture(folder):
        raise ImageError(f"{len(found)} pictures cannot go into the one file {folder}. Name a folder.")
    if folder.exists() and not folder.is_dir():
        raise ImageError(f"{folder} is a file. Name a folder, or a file ending in {', '.join(WRITABLE_SUFFIXES)}.")
    plan = {}
    for source, name in found.items():
        root = source.parents[len(name.parts) - 1]
        if _is_inside(folder, root) and _is_inside(source, folder):
            continue  # the outputs of an earlier run, where the output folder lies in the searched one
        writable = name.suffix.lower() in WRITABLE_SUFFIXES
        plan[source] = folder / (name if writable else name.with_suffix(".png"))
    if not plan:
        raise ImageError(f"All pictures that were found are earlier outputs, in {folder}. Name other pictures.")
    return plan


def _names_a_picture(path):
    return path.suffix.lower() in IMAGE_SUFFIXES and not path.is_dir()


def _is_inside(path, folder):
    path, folder = path.resolve(), folder.resolve()
    return path != folder and path.is_relative_to(folder)
