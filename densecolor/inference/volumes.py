"""Medical files and stacks as the colorizer sees them: pictures that follow each other, and a place for their colours.

Every volume has `count`, how many pictures it holds; `name`, what they are called together; `picture(index)`;
`write(target, frames, statement, series)`, which takes (rgb, alpha or None) as they come and returns a note or None;
`keep(target)`, which writes the file as it is; and `close()`.
"""

import contextlib
import dataclasses
import gzip
import math
import secrets

from densecolor.atomic import write_atomically
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.errors import require_choice
from densecolor.image_io import read_image
from densecolor.image_io.dicom import DicomFile
from densecolor.image_io.dicom import is_dicom
from densecolor.image_io.dicom_capture import DICOM_SUFFIXES
from densecolor.image_io.dicom_capture import write_capture
from densecolor.image_io.medical import check_window
from densecolor.image_io.nifti import PLANES
from densecolor.image_io.nifti import is_packed
from densecolor.image_io.nifti import open_volume
from densecolor.image_io.nifti import read_nifti_header
from densecolor.image_io.nifti_colors import NIFTI_SUFFIXES
from densecolor.image_io.nifti_colors import write_color_volume
from densecolor.image_io.tiff_stack import TiffStack
from densecolor.image_io.tiff_stack import count_tiff_pages
from densecolor.image_io.tiff_stack import write_stack
from densecolor.image_io.write import TIFF_SUFFIXES

# A secret of this process: what it makes of one study without identity is one study, which nobody can tell from it.
_SALT = secrets.token_hex()
VOLUME_SUFFIXES = (*DICOM_SUFFIXES, *NIFTI_SUFFIXES)
_DIRECTORY = "DICOMDIR"
_PREAMBLE = 132  # bytes that tell DICOM


@dataclasses.dataclass(frozen=True)
class Reading:
    """How medical files are read and written.

    Attributes:
        window: of gray values: (centre, width) for DICOM, (lowest, highest) for NIfTI and TIFF; None for their own.
        plane: of the slices of NIfTI volumes.
        identity: bool; False leaves out of DICOM files what identifies the patient.

    Raises:
        DensecolorError: the window shows nothing, or there is no such plane.
    """

    window: tuple | None = None
    plane: str = "axial"
    identity: bool = True

    def __post_init__(self):
        require_choice("plane", self.plane, PLANES)
        if self.window is not None and not (len(self.window) == 2 and all(map(math.isfinite, self.window))):
            raise DensecolorError(f"`window` must be two numbers. Received: window={self.window}.")


def suffix_of(path):
    """The suffix of a path, with the one before ".gz" for NIfTI.

    Example:
        >>> suffix_of(pathlib.Path("b/Brain.nii.GZ"))
        '.nii.GZ'
    """
    packed = path.name[-7:]
    return packed if packed.lower() == ".nii.gz" else path.suffix


def is_dicom_file(path):
    """Whether a file begins as DICOM does."""
    with open(path, "rb") as file:
        return is_dicom(file.read(_PREAMBLE))


def is_dicom_name(path):
    """Whether a file is called as DICOM files are."""
    return suffix_of(path).lower() in DICOM_SUFFIXES


def is_nifti_name(path):
    """Whether a file is called as NIfTI files are."""
    return suffix_of(path).lower() in NIFTI_SUFFIXES


def is_medical(path):
    """Whether a file of a folder is DICOM or NIfTI, by its name or, for DICOM of any other name, by its content."""
    return is_nifti_name(path) or is_dicom_name(path) or is_unnamed_dicom(path)


def is_unnamed_dicom(path):
    """Whether a file of any name is DICOM; no index of others, and none that cannot be read."""
    try:
        return path.name.upper() != _DIRECTORY and is_dicom_file(path)
    except OSError:
        return False


def takes_window(source):
    """Whether a file's gray values may be shown through a window."""
    return is_medical(source) or source.suffix.lower() in TIFF_SUFFIXES


def values_of(source):
    """How many values a NIfTI volume has; they are in memory together.

    Raises:
        ImageError: its header cannot be read.
        OSError: there is no such file.
    """
    with open(source, "rb") as file:
        return math.prod(read_nifti_header(file, str(source)).shape)


def open_volume_file(source, target, reading):
    """Open a file whose colours become a file of its own kind.

    Args:
        source: its path.
        target: path of the output, whose suffix says what it is to be.
        reading: `Reading`.

    Returns:
        the volume, or None where source and target are single pictures.

    Raises:
        ImageError: it is damaged, or not of the kind that the target needs.
        OSError: it cannot be read.
    """
    if is_dicom_name(target):
        return DicomVolume(source, reading)
    if is_nifti_name(target):
        return NiftiVolume(source, reading)
    if target.suffix.lower() not in TIFF_SUFFIXES:
        return None
    pages = count_tiff_pages(source)
    return StackVolume(source, reading) if pages > 1 or (pages and reading.window) else None


def read_first_picture(source, reading):
    """Read the picture of a file, or the first of several, for an output that holds one.

    Args:
        source: its path.
        reading: `Reading`.

    Returns:
        (Picture, note or None).

    Raises:
        ImageError: it cannot be read; see `densecolor.image_io.read_image`.
        OSError: likewise.
    """
    if not is_dicom_file(source):
        return read_image(source), None
    with contextlib.closing(DicomVolume(source, reading)) as volume:
        more = volume.count > 1
        return volume.picture(0), f"the first of its {volume.count} frames; a .dcm output has all" if more else None


class DicomVolume:
    """A DICOM file, of one frame or many."""

    name = "frames"

    def __init__(self, source, reading):
        self._source = source
        self._reading = reading
        self._data = source.read_bytes()
        self._file = DicomFile(self._data, str(source))
        self.count = self._file.header.frames
        self._window = _checked_window(reading.window, "centre, width")
        if self._window is None and self.count > 1:
            self._window = self._file.common_window(str(source))

    def picture(self, index):
        """One of its pictures, from 0, as its window shows it."""
        return self._file.picture(str(self._source), index, self._window)

    def write(self, target, frames, statement, series):
        """Write its colours."""
        salt = None if self._reading.identity else _SALT
        colors = (rgb for rgb, _ in frames)
        return write_capture(target, self._data, str(self._source), colors, statement, series, salt)

    def keep(self, target):
        """Write the file as it is."""
        if not self._reading.identity:
            raise ImageError(f"{self._source}: it is in colour already, and kept as it was it would keep its identity.")
        write_atomically(target, self._data)

    def close(self):
        """Nothing is open."""


class NiftiVolume:
    """A NIfTI volume, or several in time, of slices in one plane."""

    name = "slices"

    def __init__(self, source, reading):
        self._source = source
        self._plane = reading.plane
        self._data = source.read_bytes()
        self._volume = open_volume(self._data, str(source))
        self._window = _checked_window(reading.window, "low, high")
        self.count = self._volume.slices(self._plane)

    def picture(self, index):
        """One of its pictures, from 0, as its window shows it."""
        return self._volume.picture(self._plane, index, self._window)

    def write(self, target, frames, statement, series):
        """Write its colours."""
        write_color_volume(target, self._data, str(self._source), self._volume, frames, self._plane)
        strange = self._volume.count_not_finite()
        return f"{strange:,} of its values are infinite or no number, and shown as white or black" if strange else None

    def keep(self, target):
        """Write the file as it is."""
        data = self._data
        if is_packed(data) != target.name.lower().endswith(".gz"):
            data = gzip.decompress(data) if is_packed(data) else gzip.compress(data, mtime=0)
        write_atomically(target, data)

    def close(self):
        """Nothing is open."""


class StackVolume:
    """A TIFF of several pages."""

    name = "pages"

    def __init__(self, source, reading):
        self._source = source
        self._window = _checked_window(reading.window, "low, high")
        self._stack = TiffStack(source)
        self.count = self._stack.pages

    def picture(self, index):
        """One of its pictures, from 0, as its window shows it."""
        return self._stack.picture(index, self._window)

    def write(self, target, frames, statement, series):
        """Write its colours."""
        write_stack(target, frames, statement, self.count, **self._stack.resolution)

    def keep(self, target):
        """Write the file as it is."""
        write_atomically(target, self._source.read_bytes())

    def close(self):
        """Close the file."""
        self._stack.close()


def _checked_window(window, meaning):
    check_window(window, meaning)
    return window
