"""The files that a glob pattern names, or one file alone."""

import fnmatch
import functools
import glob

from densecolor.errors import SourceError
from densecolor.packing.files.folder import FolderFiles


class PatternFiles(FolderFiles):
    """The files that a pattern such as "scans/**/*.png" names; "**" is any number of folders.

    Names are paths below the part of the pattern that has no wildcard. As everywhere, hidden files are none, and links
    to folders are not followed in circles. Workers get all files of that folder, since places say which to read.

    Args:
        pattern: Path; or the path of one file.

    Raises:
        SourceError: the part without a wildcard is no folder.
    """

    def __init__(self, pattern):
        fixed = pattern.parent if pattern.is_file() else fixed_part(pattern)
        if not fixed.is_dir():
            raise SourceError(f"There is no folder {fixed} for the pattern {pattern}.")
        super().__init__(fixed)
        self._is_one_file = pattern.is_file()
        self._parts = pattern.relative_to(fixed).parts

    @functools.cached_property
    def _listing(self):
        if self._is_one_file:
            return list(self._parts), []
        names, refused = super()._listing
        names = [name for name in names if _matches(name.split("/"), self._parts)]
        return names, [item for item in refused if self._leads_to(item[0].split("/")[:-1])]

    def _leads_to(self, folders):
        """Whether the pattern may name files below these folders."""
        return any(_matches(folders, self._parts[:count]) for count in range(1, len(self._parts)))


def fixed_part(pattern):
    """The part of a path before its first wildcard; brackets may also be in the name of a real folder."""
    while glob.has_magic(str(pattern)) and not pattern.exists():
        pattern = pattern.parent
    return pattern


def _matches(parts, pattern):
    """Whether the parts of a path are what the parts of a pattern stand for."""
    if not pattern:
        return not parts
    if pattern[0] == "**" and _matches(parts, pattern[1:]):
        return True
    if not parts or not fnmatch.fnmatchcase(parts[0], pattern[0]):
        return False
    return _matches(parts[1:], pattern if pattern[0] == "**" else pattern[1:])
