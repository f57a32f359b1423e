"""Colours as DICOM: a secondary capture that leads back to the file that they were predicted for (PS3.3, A.8).

What it says of patient, study and geometry is copied from the source, and nothing is added that could identify anybody.
"""

import io
import tempfile
import uuid

import numpy as np

import densecolor
from densecolor.errors import ImageError
from densecolor.image_io.dicom import parse
from densecolor.image_io.dicom_description import describe_image
from densecolor.image_io.dicom_description import describe_patient
from densecolor.image_io.dicom_description import describe_source
from densecolor.image_io.dicom_description import described_tags
from densecolor.image_io.display import to_rgb8
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.medical import PREDICTED
from densecolor.image_io.medical import discreetly
from densecolor.image_io.medical import named
from densecolor.image_io.read import DEFAULT_MAX_PIXELS
from densecolor.image_io.write import written_whole

DICOM_SUFFIXES = (".dcm", ".dicom", ".ima")

_SERIES_NUMBERS = 9000  # are added to the source's, so that colours stand behind what a scanner made
_MOST_BYTES = (1 << 32) - 2  # of one value
_MOST_NUMBERED = 10_000  # frames that fit into a vector of page numbers, which has 16 bits for its length
_NOT_COPIED = "its attributes cannot be written: some of those of patient, study or image are damaged"


def write_capture(path, data, name, frames, statement, series="", salt=None):
    """Write the colours of a DICOM file as a DICOM file.

    One frame becomes a Secondary Capture, several a Multi-frame True Color Secondary Capture: 8-bit RGB, uncompressed,
    explicit little endian, ImageType DERIVED and SECONDARY, in a new series of the same study. Frames are written as
    they come; no two of them are in memory at once.

    Args:
        path: where to; it gets this name when it is whole, and replaces what is there.
        data: bytes of the source.
        name: what error messages call the source.
        frames: iterable of uint8 or uint16 (H, W, 3), R, G, B, in the order of the source's frames.
        statement: str, at most 1,024 characters: how the colours were made, for the DerivationDescription.
        series: str; files of one source series that are written with the same one are in one new series.
        salt: None copies patient and study from the source and refers to it. A str leaves out all that identifies,
            and the new study and series can only be told from the source's by who knows this secret.

    Returns:
        str, what is worth knowing about the file, or None.

    Raises:
        ImageError: the source cannot be read, its attributes cannot be written again, it has more pixels than a DICOM
            file can hold uncompressed, or identity is to be left out and it says that text is burned into its pixels.
        OSError: the file cannot be written.

    Example:
        >>> frames = (colorize(file.picture(name, frame), model) for frame in range(file.header.frames))
        >>> write_capture("ct-colour.dcm", data, name, frames, "Colours predicted by densecolor: not for diagnosis.")
    """
    with named(name), discreetly("pydicom", "pydicom", _NOT_COPIED):
        source = parse(io.BytesIO(data), len(data), DEFAULT_MAX_PIXELS, described_tags(), stop_before_pixels=True)
        burned_in = str(source.get("BurnedInAnnotation") or "").strip().upper()
    if salt is not None and burned_in == "YES":
        raise ImageError(
            f"{name}: text that may identify the patient is burned into its pixels, as it says itself, so that its "
            "identity cannot be left out."
        )
    with written_whole(path) as unfinished, tempfile.TemporaryFile(dir=unfinished.parent) as pixels:
        count, shape = _append_frames(name, frames, pixels)
        with named(name), discreetly("pydicom", "pydicom", _NOT_COPIED):
            _save(_describe(source, len(data), count, shape, statement, series, salt), pixels, unfinished)
    if burned_in == "YES":
        return "text that may identify the patient is burned into its pixels, as it says itself, and stays there"
    if burned_in != "NO" and count > 1:
        return "it does not say whether text is burned into its pixels; its colours, which must, say that there is"
    return None


def _append_frames(name, frames, file):
    """Write the frames to a binary file, padded to an even length; their number, and the shape of each."""
    count, shape = 0, None
    for frame in frames:
        frame = to_rgb8(frame)
        shape = frame.shape
        count += 1
        if file.tell() + frame.nbytes > _MOST_BYTES:
            raise ImageError(f"{name}: its colours take more than the 4 GiB that a DICOM file can hold uncompressed.")
        file.write(np.ascontiguousarray(frame).data)
    if file.tell() % 2:
        file.write(b"\0")
    file.seek(0)
    return count, shape


def _describe(source, size, count, shape, statement, series, salt):
    from pydicom.dataset import Dataset
    from pydicom.uid import MultiFrameTrueColorSecondaryCaptureImageStorage
    from pydicom.uid import SecondaryCaptureImageStorage

    of_source = source.get("SeriesInstanceUID") or source.get("SOPInstanceUID")
    capture = Dataset()
    capture.SOPClassUID = MultiFrameTrueColorSecondaryCaptureImageStorage if count > 1 else SecondaryCaptureImageStorage
    capture.SOPInstanceUID = _uid(uuid.uuid4())
    describe_patient(capture, source if salt is None else Dataset())
    if salt is None:
        describe_source(capture, source)
        capture.StudyInstanceUID = source.get("StudyInstanceUID") or _derived_uid("study", of_source)
    else:
        capture.PatientIdentityRemoved = "YES"
        capture.DeidentificationMethod = "densecolor: nothing copied of patient, study and source"
        capture.StudyInstanceUID = _derived_uid(salt, source.get("StudyInstanceUID"))
    capture.SeriesInstanceUID = _derived_uid(salt or "series", of_source, series)
    capture.SeriesDescription = PREDICTED
    capture.SeriesNumber = _SERIES_NUMBERS + int(source.get("SeriesNumber") or 0)
    capture.Modality = source.get("Modality") or "OT"
    capture.ImageType = ["DERIVED", "SECONDARY"]
    capture.DerivationDescription = statement
    capture.ConversionType = "WSD"
    capture.SecondaryCaptureDeviceManufacturer = "densecolor"
    capture.SecondaryCaptureDeviceSoftwareVersions = densecolor.__version__
    describe_image(capture, source, size)
    capture.SamplesPerPixel = 3
    capture.PhotometricInterpretation = "RGB"
    capture.PlanarConfiguration = 0
    capture.Rows, capture.Columns = shape[:2]
    capture.BitsAllocated = capture.BitsStored = 8
    capture.HighBit = 7
    capture.PixelRepresentation = 0
    if count > 1:
        _number_frames(capture, source, count)
    return capture


def _number_frames(capture, source, count):
    """How the frames follow each other: in the source's time, or else as numbered pages."""
    capture.NumberOfFrames = count
    if "BurnedInAnnotation" not in capture:
        capture.BurnedInAnnotation = "YES"  # it must be said, and NO would be a promise
    if source.get("FrameTime"):
        capture.FrameTime = source.FrameTime
        capture.FrameIncrementPointer = 0x00181063
    elif count <= _MOST_NUMBERED:
        capture.PageNumberVector = list(range(1, count + 1))
        capture.FrameIncrementPointer = 0x00182001
    else:
        raise BrokenImage(f"more than {_MOST_NUMBERED:,} frames without a FrameTime cannot be written as DICOM")


def _save(capture, pixels, path):
    import pydicom
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    capture.PixelData = pixels
    capture["PixelData"].VR = "OB"
    capture.file_meta = FileMetaDataset()
    capture.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    with pydicom.config.disable_value_validation():
        pydicom.dcmwrite(path, capture, enforce_file_format=True)


def _uid(number):
    """A UUID as DICOM writes it (PS3.5, B.2)."""
    return f"2.25.{number.int}"


def _derived_uid(secret, *parts):
    """The same UID for the same parts; a new one where the source has none to derive it from."""
    if not parts[0]:
        return _uid(uuid.uuid4())
    return _uid(uuid.uuid5(uuid.NAMESPACE_OID, "\n".join([secret, *map(str, parts)])))
