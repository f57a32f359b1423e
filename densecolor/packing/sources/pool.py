"""All files of a download as it lies in its folder: those in the folder, and those in the tars beside them."""

import functools
import tarfile
import zlib

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import TarFiles
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import PictureReader
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.base import refused_images
from densecolor.packing.sources.combined import CombinedReader


class Pool:
    """The pictures and texts of a source that may be a folder, an archive, or a folder with archives in it.

    Args:
        location: Location.
        layout: its name, for messages.
        kits: names of compressed tars that hold no pictures but texts, which are read in their folder.

    Attributes:
        reader: for entries whose `source` is the number of the container.
        images: list of (number of the container, path), sorted.
        refused: as `Source.refused`.
    """

    def __init__(self, location, layout, kits=()):
        top = location.require_container(layout)
        beside = top.names if isinstance(top, FolderFiles) else []
        tars = [TarFiles(location.path / name) for name in beside if name.endswith(".tar")]
        self._texts_in = [top, *tars, *(_Kit(location.path / n) for n in beside if n.rpartition("/")[2] in kits)]
        containers = [top, *tars]
        self.reader = CombinedReader(tuple(map(PictureReader, containers)))
        self.images = [(i, name) for i, files in enumerate(containers) for name in files.names if is_image_name(name)]
        self.refused = [refused for files in containers for refused in refused_images(files)]
        self.refused += [
            (escape_undecodable(name), "compressed as a whole: decompress it to pack what is in it")
            for name in beside
            if name.endswith((".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")) and name.rpartition("/")[2] not in kits
        ]
        self._location = location

    @functools.cached_property
    def _texts(self):
        """Where each text is: a dict, last part of its name -> (files, name); of several, the least deep in folders."""
        found = {}
        for files in self._texts_in:
            texts = [name for name in files.names if not is_image_name(name)]
            for name in sorted(texts, key=lambda name: name.count("/")):
                found.setdefault(name.rpartition("/")[2], (files, name))
        return found

    def find(self, names):
        """The first of some file names that is there, at any depth, or None."""
        return next((name for name in names if name in self._texts), None)

    def read(self, name):
        """The bytes of the file with this name, at any depth.

        Raises:
            SourceError: it cannot be read.
        """
        files, path = self._texts[name]
        try:
            return files.read_name(path)
        except OSError as error:
            raise SourceError(f"{name} in {self._location.path} cannot be read: {error.strerror}.") from None

    def lines(self, name):
        """The lines of a text file, without the empty ones."""
        return [line for line in self.read(name).decode("utf-8-sig", "replace").splitlines() if line.strip()]


class _Kit:
    """A small compressed tar, of which all must be read to read anything."""

    def __init__(self, path):
        self._path = path

    @functools.cached_property
    def _contents(self):
        try:
            with tarfile.open(self._path, "r:*") as archive:
                return {member.name: archive.extractfile(member).read() for member in archive if member.isreg()}
        except (tarfile.TarError, zlib.error, EOFError, OSError):
            raise SourceError(f"{self._path} is damaged or truncated. Copy or download it again.") from None

    @property
    def names(self):
        return list(self._contents)

    def read_name(self, name):
        return self._contents[name]
