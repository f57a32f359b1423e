"""Layout `dicom`: the DICOM files of a folder, archive or pattern, one picture a frame, kept together by patient."""

from densecolor.errors import ImageError
from densecolor.errors import require_package
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.image_io import decode_image
from densecolor.image_io.dicom import DicomFile
from densecolor.image_io.dicom import is_dicom
from densecolor.image_io.dicom import read_dicom_header
from densecolor.image_io.medical import check_window
from densecolor.packing.readers import Sample
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.medical import FrameReader
from densecolor.packing.sources.medical import frame_entries
from densecolor.packing.sources.medical import open_name
from densecolor.packing.sources.medical import refused_files
from densecolor.packing.sources.medical import splits_of
from densecolor.packing.sources.medical import suffix_of

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")
DIRECTORY_NAME = "DICOMDIR"


class DicomReader(FrameReader):
    """Reads frames of DICOM files.

    Args:
        files: where the bytes are; see `densecolor.packing.files`.
        window: (centre, width) for gray frames, or None for the files' own.
        max_pixels: larger frames are refused.
    """

    def __init__(self, files, window=None, max_pixels=DEFAULT_MAX_PIXELS):
        super().__init__(files, max_pixels)
        self.window = window

    def __reduce__(self):
        return DicomReader, (self.files, self.window, self.max_pixels)

    def read(self, place, key, decode=decode_image):
        """Decode one frame; `decode` is for picture files and not used.

        Returns:
            Sample.

        Raises:
            ImageError: it is damaged, too large, of a kind that needs another decoder, or says that text is burned into
                it.
            OSError: its file cannot be read.
        """
        file_place, frame = place
        return Sample(self._open(file_place, key).picture(key, frame, self.window))

    def _load(self, data, key):
        return open_without_text(data, key, self.max_pixels)


def open_without_text(data, key, max_pixels):
    """Open a DICOM file unless it says that its pixels show text which may identify the patient.

    Returns:
        DicomFile.

    Raises:
        ImageError: it says so, or cannot be read.
    """
    file = DicomFile(data, key, max_pixels)
    if file.header.has_burned_in_text:
        raise ImageError(f"{key}: text that may identify the patient is burned into its pixels, as it says itself.")
    return file


def list_dicom(location, window=None, max_pixels=DEFAULT_MAX_PIXELS):
    """List the frames of all DICOM files, at any depth.

    They are told by their suffix (.dcm, .dicom, .ima) or by their content; DICOMDIR is no picture, and files of other
    kinds are no inputs.
    Folders are no classes, since they are often patients; only where all top folders are called train, validation or
    test are they splits. Frames of one patient (PatientID, else StudyInstanceUID, else the file) are a group. A file
    that cannot be read is listed all the same and rejected when it is packed.

    Args:
        location: Location of a folder or archive.
        window: (centre, width) for gray frames, in the units after rescaling; the files' own if None.
        max_pixels: larger frames are rejected.

    Returns:
        Source, private.

    Raises:
        SourceError: files lie beside folders that are splits.
        DensecolorError: pydicom is not installed, or the window is empty.

    Example:
        >>> list_dicom(Location(Path("ct"), FolderFiles("ct"), None)).entries[0].key
        'head/IM000001'
    """
    require_package("pydicom", "medical")
    check_window(window, "centre, width")
    files = location.require_container("dicom")
    names = [name for name in files.names if is_dicom_name(files, name)]
    entries = []
    for name, split in zip(names, splits_of(names, location), strict=True):
        frames, patient = _frames_and_patient(files, name)
        entries += frame_entries(name, frames, split, patient)
    reader = DicomReader(files, window, max_pixels)
    refused = refused_files(files, may_be_dicom)
    return Source("dicom", reader, entries, [], is_private=True, refused=refused)


def holds_dicom(files):
    """Whether there are DICOM files, told by their suffix or, without one, by their content."""
    return any(may_be_dicom(name) and is_dicom_name(files, name) for name in files.names)


def may_be_dicom(name):
    """Whether a file's name is one that DICOM files have: with their suffix, or with none."""
    return suffix_of(name) in ("", *DICOM_SUFFIXES)


def is_dicom_file(path):
    """Whether a file begins as DICOM does."""
    with open(path, "rb") as file:
        return is_dicom(file.read(132))


def is_dicom_name(files, name):
    """Whether one of the files is DICOM, by its suffix or else by its content; an unreadable one may be."""
    if name.rpartition("/")[2].upper() == DIRECTORY_NAME:
        return False
    if suffix_of(name) in DICOM_SUFFIXES:
        return True
    try:
        with open_name(files, name) as file:
            return is_dicom(file.read(132))
    except OSError:
        return True


def patient_of(files, name):
    """The patient of one of the files, or "" where it does not say."""
    return _frames_and_patient(files, name)[1]


def _frames_and_patient(files, name):
    try:
        with open_name(files, name) as file:
            header = read_dicom_header(file, name)
    except (ImageError, OSError):  # the worker says why
        return 1, ""
    return header.frames, header.patient
