"""NIfTI: slices of volumes as pictures, turned as radiologists look at them.

Messages name the file as the caller does and otherwise hold nothing that stands in it.
"""

import dataclasses
import gzip
import io
import math

import numpy as np

from densecolor.errors import ImageError
from densecolor.errors import require_choice
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.medical import DEFLATE_RATIO
from densecolor.image_io.medical import MAX_FRAMES
from densecolor.image_io.medical import discreetly
from densecolor.image_io.medical import named
from densecolor.image_io.medical import stretch
from densecolor.image_io.read import Picture

PLANES = ("axial", "coronal", "sagittal")
DEFAULT_MAX_BYTES = 1 << 32  # of a volume's values, unpacked
PERCENTILES = (0.5, 99.5)  # of a volume's values, shown from black to white

_HEADER_BYTES = 540  # of NIfTI-2, the longer one
_PADDING = 1 << 20  # bytes that may follow the values
_THROUGH = {"axial": 2, "coronal": 1, "sagittal": 0}  # the axis that the slices of a plane follow each other along
_DAMAGED = "truncated or damaged: it cannot be read as NIfTI"


@dataclasses.dataclass(frozen=True, eq=False)
class NiftiHeader:
    """What a NIfTI file says of its volume.

    Attributes:
        shape: of the values as stored, at least three axes, time and others after them.
        dtype: of the values as stored.
        offset: of the values in the unpacked file, in bytes.
        slope: by which stored values are multiplied.
        intercept: what is then added.
        orientation: nibabel's, of the first three axes: to which of right, anterior and superior each goes, and
            whether towards it.
    """

    shape: tuple
    dtype: np.dtype
    offset: int
    slope: float
    intercept: float
    orientation: np.ndarray

    @property
    def bytes(self):
        """How many the values take, unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize

    @property
    def times(self):
        """How many volumes there are: points in time, or components."""
        return math.prod(self.shape[3:])

    def slices(self, plane="axial"):
        """How many slices there are in a plane, of all points in time together."""
        require_choice("plane", plane, PLANES, ImageError)
        axis = self.orientation[:, 0].tolist().index(_THROUGH[plane])
        return self.shape[axis] * self.times


def read_nifti_header(file, name):
    """Read what a file says of its volume, without the values.

    Args:
        file: binary file, or bytes, of a .nii or .nii.gz; only its beginning is read.
        name: what error messages call it.

    Returns:
        NiftiHeader.

    Raises:
        ImageError: it is not NIfTI in one file, damaged, or of values that cannot be shown.

    Example:
        >>> with open("brain.nii.gz", "rb") as file:
        ...     read_nifti_header(file, "brain.nii.gz").slices("coronal")
        256
    """
    file = io.BytesIO(file) if isinstance(file, bytes) else file
    with named(name), discreetly("nibabel", "nibabel.global", _DAMAGED):
        return _read_header(file)


def open_volume(data, name, max_bytes=DEFAULT_MAX_BYTES):
    """Unpack the volume of a NIfTI file.

    Args:
        data: bytes of the whole .nii or .nii.gz file.
        name: what error messages call it.
        max_bytes: a volume whose values take more is refused before it is unpacked.

    Returns:
        Volume.

    Raises:
        ImageError: it is not NIfTI in one file, damaged, too large, or of values that cannot be shown.

    Example:
        >>> open_volume(data, "brain.nii.gz").picture("axial", 90).pixels.shape
        (217, 181)
    """
    with named(name), discreetly("nibabel", "nibabel.global", _DAMAGED):
        header = _read_header(io.BytesIO(data))
        if header.bytes > max_bytes:
            raise BrokenImage(f"its volume takes {header.bytes:,} bytes, more than max_bytes={max_bytes:,}")
        return Volume(header, _read_values(data, header))


class Volume:
    """A volume, or several in time, whose slices become pictures.

    Args:
        header: NiftiHeader.
        values: array of the header's shape, as stored.

    Attributes:
        header: NiftiHeader.
    """

    def __init__(self, header, values):
        from nibabel.orientations import apply_orientation

        self.header = header
        values = apply_orientation(values, header.orientation)  # right, anterior, superior
        self._values = values.reshape(*values.shape[:3], -1, order="F")
        self._range = None

    def slices(self, plane="axial"):
        """How many slices there are in a plane, of all points in time together."""
        return self.header.slices(plane)

    def picture(self, plane, index, window=None):
        """Show one slice as radiologists see it.

        | plane | looked at from | top | left | order |
        |---|---|---|---|---|
        | axial | the feet | front | the patient's right | upwards from the feet |
        | coronal | the front | head | the patient's right | from back to front |
        | sagittal | the patient's left | head | front | from the patient's left to the right |

        Voxels that are longer than wide stay as they are stored: a picture has one pixel a voxel.

        Args:
            plane: one of `PLANES`.
            index: from 0; slices of the first point in time come first.
            window: (low, high), the values that become black and white; from the 0.5th to the 99.5th percentile of
                the volume if None.

        Returns:
            Picture: uint16 (H, W) over the full range; uint8 (H, W, 3) for volumes of colours.

        Raises:
            IndexError: there is no such slice.
        """
        shown = self.slice_of(self._values, plane, index)
        if self._values.dtype.names:
            return _colors(shown)
        low, high = window or self._percentiles()
        return Picture(stretch(self._scaled(shown), low, high))

    def slice_of(self, values, plane, index):
        """The part of an array that `picture` shows of the volume, turned as there.

        Args:
            values: (right, anterior, superior, times, ...), of the volume's own shape in the first four.
            plane: one of `PLANES`.
            index: as for `picture`.

        Returns:
            (H, W, ...), a view of `values`.

        Raises:
            IndexError: there is no such slice.
        """
        through = _THROUGH[plane]
        time, position = divmod(index, values.shape[through])
        if not 0 <= time < values.shape[3]:
            raise IndexError(f"slice {index} of {self.slices(plane)}")
        shown = np.moveaxis(values, (3, through), (0, 1))[time, position]
        return np.swapaxes(shown[::-1, ::-1], 0, 1)

    def count_not_finite(self):
        """How many values are infinite or no number, which are shown as white or black."""
        return 0 if self._values.dtype.kind != "f" else int(self._values.size - np.isfinite(self._values).sum())

    def _scaled(self, stored):
        return np.asarray(stored, np.float64) * self.header.slope + self.header.intercept

    def _percentiles(self):
        if self._range is None:
            stored = self._values
            stored = stored[np.isfinite(stored)] if stored.dtype.kind == "f" else stored
            ends = np.percentile(stored, PERCENTILES) if stored.size else np.zeros(2)
            self._range = tuple(sorted(self._scaled(ends)))
        return self._range


def _colors(shown):
    pixels = np.ascontiguousarray(np.stack([shown[name] for name in "RGB"], axis=-1))
    return Picture(pixels, np.ascontiguousarray(shown["A"]) if "A" in shown.dtype.names else None)


def raw_header(data):
    """The header of a NIfTI file as nibabel has it; for use inside `named` and `discreetly`.

    Args:
        data: bytes of the file.

    Returns:
        `nibabel.Nifti1Header` or `nibabel.Nifti2Header`.

    Raises:
        BrokenImage: it is not NIfTI in one file.
    """
    file = io.BytesIO(data)
    return _parse_header((gzip.GzipFile(fileobj=file) if is_packed(data) else file).read(_HEADER_BYTES))


def is_packed(data):
    """Whether bytes begin as gzip does."""
    return data.startswith(b"\x1f\x8b")


def _read_header(file):
    from nibabel.orientations import io_orientation

    size = file.seek(0, io.SEEK_END)
    file.seek(0)
    packed = is_packed(file.read(2))
    file.seek(0)
    head = (gzip.GzipFile(fileobj=file) if packed else file).read(_HEADER_BYTES)
    raw = _parse_header(head)
    shape = tuple(int(side) for side in raw.get_data_shape())
    shape += (1,) * (3 - len(shape))
    slope, intercept = raw.get_slope_inter()
    header = NiftiHeader(
        shape=shape,
        dtype=raw.get_data_dtype(),
        offset=raw.get_data_offset(),
        slope=1.0 if slope is None else slope,
        intercept=0.0 if intercept is None else intercept,
        orientation=io_orientation(raw.get_best_affine()),
    )
    _check(header, size * DEFLATE_RATIO if packed else size)
    return header


def _parse_header(head):
    from nibabel import Nifti1Header
    from nibabel import Nifti2Header

    for kind, magic_at in ((Nifti1Header, 344), (Nifti2Header, 4)):
        if kind.may_contain_header(head):
            if head[magic_at : magic_at + 2] == b"ni":
                raise BrokenImage("its header and values are in two files. Convert it to .nii or .nii.gz")
            return kind(head[: kind.sizeof_hdr])
    raise BrokenImage("not a NIfTI file, or truncated")


def _check(header, size):
    """Refuse what cannot be shown, or is not there; `size` is the most bytes that the file can hold."""
    if min(header.shape) < 1 or header.offset < 0 or header.offset + header.bytes > size:
        raise BrokenImage("truncated or damaged: it holds fewer values than its header says")
    if max(header.shape[:3]) * header.times > MAX_FRAMES:
        raise BrokenImage("damaged, or it has too many slices")
    if not np.isfinite(header.orientation).all():
        raise BrokenImage("its orientation is missing: one of its axes goes nowhere. Correct its affine matrix")
    if header.dtype.kind not in "iuf" and not set("RGB") <= set(header.dtype.names or ()):
        raise BrokenImage("its values are neither numbers nor colours")


def _read_values(data, header):
    """The values as stored, in a view of the unpacked bytes."""
    end = header.offset + header.bytes
    if is_packed(data):
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(data))
        data = unpacked.read(end + _PADDING)  # to the end of the stream, whose checksum is then compared
        if unpacked.read(1):
            raise BrokenImage("damaged: it holds more values than its header says")
    if len(data) < end:
        raise BrokenImage("truncated or damaged: it holds fewer values than its header says")
    return np.ndarray(header.shape, header.dtype, data, header.offset, order="F")
