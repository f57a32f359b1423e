"""Layout `nifti`: the slices of the NIfTI volumes in a folder or archive."""

import re

from densecolor.errors import ImageError
from densecolor.errors import require_choice
from densecolor.errors import require_package
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.image_io import decode_image
from densecolor.image_io.medical import check_window
from densecolor.image_io.nifti import PLANES
from densecolor.image_io.nifti import open_volume
from densecolor.image_io.nifti import read_nifti_header
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import Sample
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.medical import FrameReader
from densecolor.packing.sources.medical import frame_entries
from densecolor.packing.sources.medical import open_name
from densecolor.packing.sources.medical import refused_files
from densecolor.packing.sources.medical import splits_of

NIFTI_SUFFIXES = (".nii", ".nii.gz")
BIDS_SUBJECT = re.compile(r"(?:^|/)(sub-[A-Za-z0-9]+)(?=[_/])")  # sub-01/anat/sub-01_T1w.nii.gz


class NiftiReader(FrameReader):
    """Reads slices of volumes.

    Args:
        files: where the bytes are; see `densecolor.packing.files`.
        plane: "axial", "coronal" or "sagittal".
        window: (low, high), or None for the 0.5th to the 99.5th percentile of each volume.
        max_pixels: larger slices are refused.
    """

    def __init__(self, files, plane="axial", window=None, max_pixels=DEFAULT_MAX_PIXELS):
        super().__init__(files, max_pixels)
        self.plane = plane
        self.window = window

    def __reduce__(self):
        return NiftiReader, (self.files, self.plane, self.window, self.max_pixels)

    def read(self, place, key, decode=decode_image):
        """Decode one slice; `decode` is for picture files and not used.

        Returns:
            Sample.

        Raises:
            ImageError: the volume is damaged, too large, or has become smaller since it was listed.
            OSError: its file cannot be read.
        """
        file_place, index = place
        volume = self._open(file_place, key)
        if index >= volume.slices(self.plane):
            raise ImageError(f"{key}: its volume has fewer slices than before.")
        picture = volume.picture(self.plane, index, self.window)
        height, width = picture.original_size
        if height * width > self.max_pixels:
            raise ImageError(f"{key}: {width} x {height} is more than max_pixels={self.max_pixels:,} pixels.")
        return Sample(picture)

    def _load(self, data, key):
        return open_volume(data, key)


def list_nifti(location, window=None, plane="axial", max_pixels=DEFAULT_MAX_PIXELS):
    """List the slices of all .nii and .nii.gz files, at any depth.

    See `densecolor.image_io.nifti.Volume.picture` for how slices are turned. Folders are no classes; only where all top
    folders are called train, validation or test are they splits. Slices of one volume are a group, and in BIDS data
    sets the volumes of one subject. A file that cannot be read is listed all the same and rejected when it is packed.

    Args:
        location: Location of a folder or archive.
        window: (low, high), the values that become black and white; each volume's 0.5th and 99.5th percentile if None.
        plane: of the slices, "axial", "coronal" or "sagittal".
        max_pixels: larger slices are rejected.

    Returns:
        Source, private.

    Raises:
        SourceError: files lie beside folders that are splits.
        DensecolorError: nibabel is not installed, there is no such plane, or the window is empty.

    Example:
        >>> list_nifti(Location(Path("mri"), FolderFiles("mri"), None), plane="coronal").entries[0].key
        'sub-01/anat/sub-01_T1w.nii.gz#0000'
    """
    require_package("nibabel", "medical")
    check_window(window, "low, high")
    require_choice("plane", plane, PLANES)
    files = location.require_container("nifti")
    names = [name for name in files.names if is_nifti_name(name)]
    entries = []
    for name, split in zip(names, splits_of(names, location), strict=True):
        entries += frame_entries(name, _slices(files, name, plane), split, _subject(name))
    reader = NiftiReader(files, plane, window, max_pixels)
    return Source("nifti", reader, entries, [], is_private=True, refused=refused_files(files, is_nifti_name))


def holds_nifti(files):
    """Whether there are NIfTI files."""
    return any(map(is_nifti_name, files.names))


def is_nifti_name(name):
    """Whether a file's suffix says that it is NIfTI."""
    return name.lower().endswith(NIFTI_SUFFIXES)


def _subject(name):
    match = BIDS_SUBJECT.search(escape_undecodable(name))
    return match[1] if match else ""


def _slices(files, name, plane):
    try:
        with open_name(files, name) as file:
            return read_nifti_header(file, name).slices(plane)
    except (ImageError, OSError):  # the worker says why
        return 1
