"""From what a user names (files, folders, globs) to pictures."""

import glob
import itertools
import pathlib

from densecolor.errors import ImageError
from densecolor.image_io.read import IMAGE_SUFFIXES


def find_images(paths):
    """List the pictures that files, folders and glob patterns name.

    Folders are searched with all their subfolders, by suffix (`IMAGE_SUFFIXES`); hidden files and folders are left
    out. A file that is named itself is taken whatever its suffix.

    Args:
        paths: iterable of str or `pathlib.Path`.

    Returns:
        list of `pathlib.Path`, in the order given, each folder's and pattern's sorted; a file named twice, once.

    Raises:
        ImageError: a path does not exist, or a folder or pattern holds no picture.

    Example:
        >>> find_images(["scans", "more/*.png"])
        [PosixPath('scans/1901/a.tif'), PosixPath('scans/b.tif'), PosixPath('more/c.png')]
    """
    return list(find_images_with_names(paths))


def find_images_with_names(paths, also=None):
    """Like `find_images`, with each picture's path inside the folder that it was found from.

    Args:
        paths: iterable of str or `pathlib.Path`.
        also: function of a file's path that says whether it is searched for too, or None.

    Returns:
        dict of path to relative path: below the named folder, below the fixed part of a pattern, or for a file its
        name alone.
    """
    found = {}
    for path in paths:
        for picture, root in _find(pathlib.Path(path), also):
            found.setdefault(picture, picture.relative_to(root))
    return found


def find_images_by_name(folder):
    """List the pictures of a folder by their path in it, without the suffix: a copy may be PNG, its original JPEG.

    Args:
        folder: str or `pathlib.Path`.

    Returns:
        dict of str, with "/" between folders, to `pathlib.Path`; sorted.

    Raises:
        ImageError: there is no such folder, it holds no picture, or two that differ in their suffix alone.

    Example:
        >>> find_images_by_name("scans")
        {'1901/a': PosixPath('scans/1901/a.tif'), 'b': PosixPath('scans/b.tif')}
    """
    if not pathlib.Path(folder).is_dir():
        raise ImageError(f"There is no folder {folder}.")
    found = {}
    for path, name in find_images_with_names([folder]).items():
        key = name.with_suffix("").as_posix()
        if key in found:
            raise ImageError(f"{found[key]} and {path} have one name but for the suffix. Rename or remove one.")
        found[key] = path
    return found


def _find(path, also):
    if path.is_file():
        return [(path, path.parent)]
    if path.is_dir():
        root, candidates = path, path.rglob("*")
    elif glob.has_magic(str(path)):
        root = _fixed_part(path)
        candidates = map(pathlib.Path, glob.iglob(str(path), recursive=True))
    else:
        raise ImageError(f"{path} does not exist.")
    pictures = sorted(found for found in candidates if _is_picture(found, root, also))
    if not pictures:
        raise ImageError(f"{path} holds no picture ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    return [(picture, root) for picture in pictures]


def _fixed_part(pattern):
    """The folder that a pattern starts from: its parts before the first with a wildcard."""
    return pathlib.Path(*itertools.takewhile(lambda part: not glob.has_magic(part), pattern.parts))


def _is_picture(path, root, also):
    if any(part.startswith(".") for part in path.relative_to(root).parts) or not path.is_file():
        return False
    return path.suffix.lower() in IMAGE_SUFFIXES or (also is not None and also(path))
