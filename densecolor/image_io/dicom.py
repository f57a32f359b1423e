"""DICOM: what a file says of its frames, and its frames as pictures.

Messages name the file as the caller does and otherwise hold nothing that stands in it but sizes.
"""

import dataclasses
import io
import zlib

import numpy as np

from densecolor.image_io.dicom_values import PALETTE_COLORS
from densecolor.image_io.dicom_values import colors_of_palette
from densecolor.image_io.dicom_values import gray_of
from densecolor.image_io.dicom_values import has_own_window
from densecolor.image_io.dicom_values import in_full_range
from densecolor.image_io.dicom_values import range_of
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.icc import convert_to_srgb
from densecolor.image_io.medical import DEFLATE_RATIO
from densecolor.image_io.medical import MAX_FRAMES
from densecolor.image_io.medical import discreetly
from densecolor.image_io.medical import named
from densecolor.image_io.read import DEFAULT_MAX_PIXELS
from densecolor.image_io.read import Picture
from densecolor.image_io.read import check_size

DECODERS = "pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"

_DEFLATED = "1.2.840.10008.1.2.1.99"
_LONG_VRS = (b"OB", b"OW", b"UN", b"UT", b"SQ")  # their lengths take four more bytes
_FRAME_HEADER = 8  # bytes that a compressed frame takes at least
_DAMAGED = "truncated or damaged: it cannot be read as DICOM"
_GRAY = ("MONOCHROME1", "MONOCHROME2")
_HEADER_TAGS = [
    "BitsAllocated",
    "BurnedInAnnotation",
    "Columns",
    "NumberOfFrames",
    "PatientID",
    "Rows",
    "StudyInstanceUID",
]
_PIXEL_TAGS = [
    *_HEADER_TAGS,
    *[f"{color}PaletteColorLookupTable{part}" for color in PALETTE_COLORS for part in ("Descriptor", "Data")],
    "BitsStored",
    "DoubleFloatPixelData",
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    "FloatPixelData",
    "HighBit",
    "ICCProfile",
    "ModalityLUTSequence",
    "PerFrameFunctionalGroupsSequence",
    "PhotometricInterpretation",
    "PixelData",
    "PixelPaddingRangeLimit",
    "PixelPaddingValue",
    "PixelRepresentation",
    "PlanarConfiguration",
    "RescaleIntercept",
    "RescaleSlope",
    "SamplesPerPixel",
    "SharedFunctionalGroupsSequence",
    "VOILUTFunction",
    "VOILUTSequence",
    "WindowCenter",
    "WindowWidth",
]


@dataclasses.dataclass(frozen=True)
class DicomHeader:
    """What a DICOM file says of its pictures.

    Attributes:
        frames: how many there are.
        rows: height in pixels.
        columns: width in pixels.
        patient: PatientID, or StudyInstanceUID where there is none, or "". It identifies a person: never show it.
        has_burned_in_text: whether it says that text which may identify the patient is part of the pixels.
    """

    frames: int
    rows: int
    columns: int
    patient: str
    has_burned_in_text: bool


def is_dicom(data):
    """Whether bytes begin as a DICOM file does; 132 of them are enough."""
    return data[128:132] == b"DICM"


def read_dicom_header(file, name):
    """Read what a file says of its pictures, without their pixels.

    Args:
        file: binary file, or bytes; only what comes before the pixels is read.
        name: what error messages call it.

    Returns:
        DicomHeader.

    Raises:
        ImageError: it is not DICOM, damaged, or holds no picture.

    Example:
        >>> with open("IM000001", "rb") as file:
        ...     read_dicom_header(file, "IM000001").frames
        24
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    with named(name), discreetly("pydicom", "pydicom", _DAMAGED):
        size = file.seek(0, io.SEEK_END)
        return _header(parse(file, size, DEFAULT_MAX_PIXELS, _HEADER_TAGS, stop_before_pixels=True), size)


def decode_dicom(data, name, frame=0, window=None, max_pixels=DEFAULT_MAX_PIXELS):
    """Decode one frame of a DICOM file; see `DicomFile.picture` for what comes out.

    Args:
        data: bytes of the whole file.
        name: what error messages call it.
        frame: its number, from 0.
        window: (centre, width) for gray frames, or None for the file's own.
        max_pixels: larger frames are refused before they are decoded.

    Returns:
        Picture.

    Raises:
        ImageError: as `DicomFile`.

    Example:
        >>> decode_dicom(data, "IM000001", window=(40, 400)).pixels.dtype
        dtype('uint16')
    """
    return DicomFile(data, name, max_pixels).picture(name, frame, window)


def decode_first_frame(data, max_pixels):
    """The first frame of a DICOM file, for `decode_image`.

    Raises:
        BrokenImage: it cannot be read.
    """
    with discreetly("pydicom", "pydicom", _DAMAGED):
        return _picture(_open(data, max_pixels), len(data), 0, None, max_pixels)


class DicomFile:
    """A DICOM file that is parsed once and gives its frames one by one.

    Args:
        data: bytes of the whole file.
        name: what error messages call it.
        max_pixels: larger frames are refused before they are decoded.

    Attributes:
        header: DicomHeader.

    Raises:
        ImageError: it is not DICOM, damaged, or holds no picture.
    """

    def __init__(self, data, name, max_pixels=DEFAULT_MAX_PIXELS):
        self._size = len(data)
        self._max_pixels = max_pixels
        with named(name), discreetly("pydicom", "pydicom", _DAMAGED):
            self._dataset = _open(data, max_pixels)
            self.header = _header(self._dataset, self._size)

    def picture(self, name, frame=0, window=None):
        """Decode one frame.

        Gray frames go through the modality lookup table or rescale and then through `window`, else through the VOI
        lookup table, the first window, or the full range of the frame; MONOCHROME1 is inverted. Non-square pixels stay
        as they are stored.

        Args:
            name: what error messages call the picture.
            frame: its number, from 0.
            window: (centre, width) in the units after rescaling, by DICOM's linear function.

        Returns:
            Picture: uint16 (H, W) over the full range for gray; uint8, or uint16 where there are more bits, (H, W, 3)
            for RGB, YBR and palettes.

        Raises:
            ImageError: it cannot be decoded; a missing decoder is named with what to install.
        """
        with named(name), discreetly("pydicom", "pydicom", _DAMAGED):
            return _picture(self._dataset, self._size, frame, window, self._max_pixels)

    def common_window(self, name):
        """One window for all frames of a file that does not say how they are shown.

        All frames are decoded for it, one after the other.

        Args:
            name: what error messages call the file.

        Returns:
            (centre, width), from the lowest to the highest value of all frames without their padding; None where the
            file says how its frames are shown, or is in colour.

        Raises:
            ImageError: a frame cannot be decoded.
        """
        with named(name), discreetly("pydicom", "pydicom", _DAMAGED):
            frames = range(self.header.frames)
            is_gray = self._dataset.get("PhotometricInterpretation") in _GRAY
            if not is_gray or any(has_own_window(self._dataset, frame) for frame in frames):
                return None
            check_size(self.header.columns, self.header.rows, self._max_pixels)
            ends = []
            for frame in frames:
                ends += range_of(self._dataset, _decode(self._dataset, frame)[0], frame)
            return ((min(ends) + max(ends) + 1) / 2, max(ends) - min(ends) + 1) if ends else None


def _open(data, max_pixels):
    return parse(io.BytesIO(data), len(data), max_pixels, _PIXEL_TAGS)


def parse(file, size, max_pixels, tags, **options):
    """Read some attributes of a DICOM file; for use inside `named` and `discreetly`.

    Args:
        file: binary file.
        size: of it, in bytes.
        max_pixels: a deflated file that would be larger than such a picture is refused.
        tags: list of the keywords to read.
        options: of `pydicom.dcmread`.

    Returns:
        pydicom Dataset.

    Raises:
        BrokenImage: it is no DICOM file, or a decompression bomb.
    """
    import pydicom

    file.seek(0)
    if not is_dicom(file.read(132)):
        raise BrokenImage("not a DICOM file: DICM is missing at byte 128")
    if _is_deflated(file):
        _check_inflated_size(file, max_pixels)
    file.seek(0)
    with pydicom.config.disable_value_validation():
        return pydicom.dcmread(file, specific_tags=tags, **options)


def _is_deflated(file):
    """Whether the file meta information, which is read up to its end, says that the rest is deflated."""
    syntax = b""
    while (head := file.read(8))[:2] == b"\2\0":
        length = file.read(4) if head[4:6] in _LONG_VRS else head[6:8]
        value = file.read(int.from_bytes(length, "little"))
        if head[2:4] == b"\x10\0":
            syntax = value.rstrip(b"\0 ")
    file.seek(-len(head), io.SEEK_CUR)
    return syntax == _DEFLATED.encode()


def _check_inflated_size(file, max_pixels):
    """Refuse a decompression bomb; pydicom would inflate it whole."""
    most = 1 << 24 | 8 * max_pixels  # the largest frame with 16-bit colours, and much of a header
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    inflated, pending = 0, file.read()
    while pending and not inflater.eof:
        inflated += len(inflater.decompress(pending, 1 << 20))
        pending = inflater.unconsumed_tail
        if inflated > most:
            raise BrokenImage(f"it is more than max_pixels={max_pixels:,} pixels would take")


def _header(dataset, size):
    if not dataset.get("Rows") or not dataset.get("Columns"):
        raise BrokenImage("it is DICOM without a picture")
    rows, columns = int(dataset.Rows), int(dataset.Columns)
    return DicomHeader(
        frames=_frames(dataset, rows * columns, size),
        rows=rows,
        columns=columns,
        patient=str(dataset.get("PatientID") or dataset.get("StudyInstanceUID") or "").strip(),
        has_burned_in_text=str(dataset.get("BurnedInAnnotation") or "").strip().upper() == "YES",
    )


def _frames(dataset, pixels, size):
    """The number of frames, which the file must be large enough to hold."""
    frames = int(dataset.get("NumberOfFrames") or 1)
    syntax = _transfer_syntax(dataset)
    least = _FRAME_HEADER if syntax.is_encapsulated else max(1, pixels * int(dataset.get("BitsAllocated") or 8) // 8)
    if syntax == _DEFLATED:
        size *= DEFLATE_RATIO
    if not 1 <= frames <= MAX_FRAMES or frames * least > size:
        raise BrokenImage("truncated or damaged: it holds fewer frames or pixels than its header says")
    return frames


def _transfer_syntax(dataset):
    from pydicom.uid import UID
    from pydicom.uid import ImplicitVRLittleEndian

    syntax = UID(str(dataset.file_meta.get("TransferSyntaxUID") or ImplicitVRLittleEndian))
    if syntax.is_private or not syntax.is_transfer_syntax:
        raise BrokenImage("its transfer syntax is unknown")
    return syntax


def _picture(dataset, size, frame, window, max_pixels):
    header = _header(dataset, size)
    check_size(header.columns, header.rows, max_pixels)
    if not 0 <= frame < header.frames:
        raise BrokenImage("it has fewer frames than before")
    stored, properties = _decode(dataset, frame)
    kind = properties["photometric_interpretation"]
    if kind in _GRAY:
        return Picture(gray_of(dataset, stored, frame, window))
    if kind == "PALETTE COLOR":
        colors = colors_of_palette(dataset, stored)
    elif kind == "RGB" and not properties["pixel_representation"]:
        colors = in_full_range(stored, properties["bits_stored"])
    else:
        raise BrokenImage("its colours are of a kind that cannot be read. Convert it to RGB")
    profile = dataset.get("ICCProfile")
    colors = np.ascontiguousarray(colors)
    return Picture(convert_to_srgb(colors, profile) if profile else colors)


def _decode(dataset, frame):
    """Stored values, (H, W) or (H, W, 3) with YBR turned to RGB, and what pydicom says of them."""
    from pydicom.pixels import get_decoder

    syntax = _transfer_syntax(dataset)
    if not any(tag in dataset for tag in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")):
        raise BrokenImage("truncated or damaged: its pixels are missing")
    try:
        decoder = get_decoder(syntax)
        is_available = decoder.is_available
    except NotImplementedError:
        raise BrokenImage(f"its transfer syntax, {syntax.name}, cannot be decoded. Export it as pictures") from None
    if not is_available:
        raise BrokenImage(f"its transfer syntax, {syntax.name}, needs another decoder. Install it with: {DECODERS}")
    reason = "truncated or damaged: its pixels cannot be decoded"
    if decoder.missing_dependencies:
        reason += f", or its kind of {syntax.name} needs another decoder: {DECODERS}"
    with discreetly("pydicom", "pydicom", reason):
        return decoder.as_array(dataset, index=frame)
