"""From an entry of a source to its decoded picture.

A reader has `locate(entry)`, which runs in the parent process and returns all that a worker needs to find the
picture, small and picklable; `read(place, key, decode)`, which runs in the worker and returns a `Sample`; and
`is_there(place)`. Readers are sent to workers once: they take no lists and no open files along.
"""

import dataclasses

import numpy as np

from densecolor.errors import ImageError
from densecolor.image_io import Picture
from densecolor.image_io import decode_image
from densecolor.image_io.dicom import is_dicom


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """One picture as its source has it.

    Attributes:
        picture: the colours, and the lightness unless it is given apart.
        lightness: the picture whose lightness is taken instead, or None.
        mask: uint8 (H, W) of the picture's own size, or None.
    """

    picture: Picture
    lightness: Picture | None = None
    mask: np.ndarray | None = None


class PictureReader:
    """Reads picture files; DICOM ones are for layouts that hide their names.

    Args:
        files: where the bytes are; see `densecolor.packing.files`.
    """

    def __init__(self, files):
        self.files = files

    def locate(self, entry):
        """The place of one picture among the files."""
        return self.files.place(entry.path)

    def read(self, place, key, decode=decode_image):
        """Decode one picture.

        Args:
            place: what `locate` has returned.
            key: how error messages call the picture.
            decode: function (bytes, name) -> Picture, `decode_image` with the options of the packing.

        Returns:
            Sample.

        Raises:
            ImageError: it is no picture, DICOM, damaged or too large; the message calls it `key`.
            OSError: its bytes cannot be read.
        """
        data = self.files.read(place)
        if is_dicom(data):
            raise ImageError(f"{key}: a DICOM file among other pictures. Pack it with layout dicom.")
        return Sample(decode(data, key))

    def is_there(self, place):
        """Whether the source still exists; a network folder may vanish, and its files are then not to blame."""
        return self.files.is_there(place)
