"""Masks that come as files, matched to the pictures by name."""

import collections
import dataclasses
import functools
import os
from pathlib import PurePosixPath

import cv2
import numpy as np

from densecolor.errors import ImageError
from densecolor.errors import SourceError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import decode_image
from densecolor.packing.files import FolderFiles

# What may follow the picture's stem in the mask's: 21_training.tif has 21_training_mask.gif.
MASK_ENDINGS = ("_mask", "-mask", ".mask", "_seg", "-seg", "_segmentation", "_gt")


class MaskFiles:
    """The masks in a folder and its subfolders.

    A mask's stem is the picture's, alone or followed by one of `MASK_ENDINGS` (in any case); its suffix is that of any
    image. Where some picture lies in the folder beside its mask (`21.tif` and `21_mask.gif`), only files with
    such an ending are masks.

    The folders of pictures and masks are matched as far as they are alike: of the folders with masks only those count
    that have the most names in common with the picture's own (`training/images` with `training/mask`, never with
    `test/mask`), and the very same folder goes before others.

    Args:
        folder: str or `pathlib.Path`.
        is_private: whether no message may name a file, since it may be called after a patient.

    Raises:
        SourceError: the folder does not exist or holds no image.

    Example:
        >>> masks = MaskFiles("drive")
        >>> place = masks.locate("training/images/21_training.tif")
        >>> place
        'training/mask/21_training_mask.gif'
        >>> masks.read(place).shape
        (584, 565)
    """

    def __init__(self, folder, is_private=False):
        self.files = FolderFiles(folder)
        self.is_private = is_private
        self._closest = {}  # folder of pictures -> folders of masks
        if not self.is_there():
            raise SourceError(f"There is no folder of masks {folder}.")
        if not self._masks:
            raise SourceError(f"{folder} holds no masks ({', '.join(sorted(IMAGE_SUFFIXES))}).")

    def __getstate__(self):
        return {"files": self.files}  # without the lists: workers only read

    def locate(self, path):
        """Find the mask of a picture; in the parent process.

        Args:
            path: str, the picture's path inside its source, "/" between folders.

        Returns:
            What `read` finds the mask by, or None where there is none.

        Raises:
            SourceError: several masks fit the picture.
        """
        picture = PurePosixPath(path)
        folders = self._closest_folders(picture.parent)
        fitting = [mask for mask in self._masks.get(picture.stem, ()) if mask.parent in folders]
        fitting = [mask for mask in fitting if mask.parent == picture.parent] or fitting
        if len(fitting) > 1:
            which = " and ".join(self._called(mask) for mask in fitting[:2])
            raise SourceError(f"Two masks fit one picture: {which}. Name a folder with one of them.")
        if not fitting:
            return None
        return self.files.place(str(fitting[0]))

    def read(self, place, name="The mask", decode=decode_image):
        """Decode one mask; in a worker.

        Args:
            place: what `locate` returned.
            name: what error messages call the mask.
            decode: `decode_image`, or the same with other limits.

        Returns:
            uint8 array (H, W), upright. Of a colour mask it is the largest of the channels, so that red and white count
            alike; transparent parts are 0. 16 bits are rounded to 8 where the values need them, and a mask of nothing
            but 0 and 1 becomes one of 0 and 255.

        Raises:
            ImageError: it is no picture, or damaged.
            OSError: it cannot be read.
        """
        picture = decode(self.files.read(place), name, reduce=None)
        mask = _to_8_bits(picture.pixels if picture.is_gray else picture.pixels.max(axis=-1))
        if picture.alpha is not None:
            mask = cv2.multiply(mask, _to_8_bits(picture.alpha), scale=1 / 255)
        return mask * np.uint8(255) if mask.max() <= 1 else mask

    @property
    def paths(self):
        """The absolute paths of all masks."""
        return [os.path.join(self.files.root, mask) for masks in self._masks.values() for mask in masks]

    def is_there(self, place=""):
        """Whether the folder still exists, and the one inside it that this mask was in."""
        return self.files.is_there(place)

    @functools.cached_property
    def _masks(self):
        """Masks by the stem of the picture that they are for: dict of str to list of PurePosixPath."""
        images = [path for path in map(PurePosixPath, self.files.names) if path.suffix.lower() in IMAGE_SUFFIXES]
        plain, marked = collections.defaultdict(list), collections.defaultdict(list)
        for path in images:
            plain[path.stem].append(path)
            for ending in MASK_ENDINGS:
                if path.stem.lower().endswith(ending) and len(path.stem) > len(ending):
                    marked[path.stem[: -len(ending)]].append(path)
        if plain.keys().isdisjoint(marked):
            for stem, paths in plain.items():
                marked[stem] += paths
        return dict(marked)

    @functools.cached_property
    def _folders(self):
        return {mask.parent for masks in self._masks.values() for mask in masks}

    def _closest_folders(self, folder):
        """Of the folders with masks those that have the most names in common with a picture's folder."""
        if folder not in self._closest:
            shared = {other: len(set(folder.parts) & set(other.parts)) for other in self._folders}
            most = max(shared.values())
            self._closest[folder] = {other for other, count in shared.items() if count == most}
        return self._closest[folder]

    def _called(self, mask):
        return "one that stays unnamed" if self.is_private else os.path.join(self.files.root, mask)


@dataclasses.dataclass(frozen=True)
class MaskedReader:
    """Adds the masks of a folder to what another reader reads.

    Attributes:
        reader: any reader of pictures; see `densecolor.packing.readers`.
        masks: MaskFiles.
    """

    reader: object
    masks: MaskFiles

    def locate(self, entry):
        """The places of one picture and of its mask.

        Raises:
            SourceError: see `MaskFiles.locate`.
        """
        return self.reader.locate(entry), self.masks.locate(entry.path)

    def is_there(self, place):
        """Whether the pictures and the masks still exist as a whole."""
        picture_place, mask_place = place
        return self.reader.is_there(picture_place) and self.masks.is_there(mask_place)

    def read(self, place, key, decode=decode_image):
        """Decode one picture and its mask. Messages never name the mask's file, which may be called after a patient.

        Args:
            place: what `locate` returned.
            key: what messages call the picture.
            decode: `decode_image`, or the same with other limits; the picture may be reduced, its mask is not.

        Returns:
            Sample, with its mask.

        Raises:
            ImageError: the picture or its mask is damaged, there is no mask, or one of another size.
            OSError: the bytes of one of them cannot be read.
        """
        picture_place, mask_place = place
        if mask_place is None:
            raise ImageError(f"{key}: there is no mask for it.")
        sample = self.reader.read(picture_place, key, decode)
        mask = self._read_mask(mask_place, key, decode)
        height, width = sample.picture.original_size
        if mask.shape != (height, width):
            raise ImageError(
                f"{key}: its mask is {mask.shape[1]} x {mask.shape[0]} pixels, the picture {width} x {height}."
            )
        return dataclasses.replace(sample, mask=mask)

    def _read_mask(self, place, key, decode):
        try:
            return self.masks.read(place, f"{key}: its mask", decode)
        except OSError as error:
            raise OSError(error.errno, f"its mask: {error.strerror}") from None


def _to_8_bits(values):
    """8 bits of a mask; 16-bit files whose values fit into 8 hold just those."""
    if values.dtype == np.uint8:
        return values
    return values.astype(np.uint8) if values.max() <= 255 else np.rint(values / np.float32(257)).astype(np.uint8)
