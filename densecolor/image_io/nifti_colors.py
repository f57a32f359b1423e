"""Colours as NIfTI: a volume of 8-bit RGB in the geometry of the volume that they were predicted for."""

import contextlib
import gzip

import numpy as np

import densecolor
from densecolor.image_io.display import to_8_bits
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.medical import PREDICTED
from densecolor.image_io.medical import discreetly
from densecolor.image_io.medical import named
from densecolor.image_io.nifti import raw_header
from densecolor.image_io.write import written_whole

NIFTI_SUFFIXES = (".nii", ".nii.gz")

_DAMAGED = "damaged: its header cannot be written again"
# Header fields that say something of the gray values, or in free words.
_RESET = (
    "aux_file",
    "cal_max",
    "cal_min",
    "data_type",
    "db_name",
    "intent_code",
    "intent_name",
    "intent_p1",
    "intent_p2",
    "intent_p3",
)
_NO_EXTENSIONS = bytes(4)
_LEVEL = 6  # of gzip: 9 takes three times as long for 1% less


def write_color_volume(path, data, name, volume, frames, plane="axial"):
    """Write the colours of a NIfTI volume as a NIfTI volume of the same shape and affine matrix.

    The values are RGB24, of a picture with alpha RGBA32; the header's description says that they are predicted. Its
    other words and its extensions, which may name a person, are left out. The colours are held in memory, three or four
    bytes a voxel.

    Args:
        path: where to, ending in .nii or .nii.gz; it gets this name when it is whole, and replaces what is there.
        data: bytes of the source.
        name: what error messages call the source.
        volume: `densecolor.image_io.nifti.Volume` of the source.
        frames: iterable of (rgb, alpha or None), uint8 or uint16 (H, W, 3) and (H, W): the colours of the volume's
            slices in their order.
        plane: "axial", "coronal" or "sagittal", of the slices.

    Raises:
        ImageError: the source's header cannot be written again.
        OSError: the file cannot be written.

    Example:
        >>> volume = open_volume(data, "brain.nii.gz")
        >>> slices = (volume.picture("axial", index) for index in range(volume.slices()))
        >>> frames = ((colorize(picture, model), None) for picture in slices)
        >>> write_color_volume("brain-colour.nii.gz", data, "brain.nii.gz", volume, frames)
    """
    from nibabel.orientations import apply_orientation

    has_alpha = "A" in (volume.header.dtype.names or ())
    channels = 4 if has_alpha else 3
    with named(name), discreetly("nibabel", "nibabel.global", _DAMAGED):
        head = _header_of_colors(data, has_alpha)
    # As NIfTI stores it: the first axis runs fastest, and the channels of a voxel lie side by side.
    values = np.zeros((channels, *volume.header.shape[:3], volume.header.times), np.uint8, order="F")
    stored = np.moveaxis(values, 0, -1)
    turned = apply_orientation(stored, volume.header.orientation)
    for index, (rgb, alpha) in enumerate(frames):
        shown = volume.slice_of(turned, plane, index)
        shown[..., :3] = to_8_bits(rgb)
        if has_alpha:
            shown[..., 3] = to_8_bits(alpha)
    with written_whole(path) as unfinished, _opened(unfinished, path.name.lower().endswith(".gz")) as file:
        file.write(head)
        file.write(values.ravel(order="K").data)


def _header_of_colors(data, has_alpha):
    header = raw_header(data)
    if header.endianness != "<":
        header = header.as_byteswapped("<")
    if np.prod(header.get_data_shape()[4:]) > 1:
        raise BrokenImage("its values have more than the four axes of space and time. Take the volumes apart")
    header.set_data_dtype(np.dtype([(channel, "u1") for channel in ("RGBA" if has_alpha else "RGB")]))
    for field in set(_RESET) & set(header.keys()):  # NIfTI-2 has not all of them
        header[field] = header.default_structarr()[field]
    header.set_slope_inter(None, None)
    header["descrip"] = f"densecolor {densecolor.__version__}: {PREDICTED}"
    header["magic"] = header.default_structarr()["magic"]
    header["vox_offset"] = header.sizeof_hdr + len(_NO_EXTENSIONS)
    return header.binaryblock + _NO_EXTENSIONS


@contextlib.contextmanager
def _opened(path, packed):
    with open(path, "wb") as file:
        if not packed:
            yield file
            return
        # Without a name and a time, so that equal volumes are equal files.
        with gzip.GzipFile("", "wb", _LEVEL, file, mtime=0) as packing:
            yield packing
