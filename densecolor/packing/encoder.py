"""From the files of a few pictures to a block of a shard: all that costs time, done in any process."""

import dataclasses

import cv2
import numpy as np

from densecolor.color import quantize_ab
from densecolor.color import quantize_lightness
from densecolor.color import srgb_to_lab
from densecolor.errors import ImageError
from densecolor.image_io import decode_image
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import ZipFiles
from densecolor.packing.options import PackOptions
from densecolor.packing.transforms import fit_picture
from densecolor.packing.transforms import is_grayscale
from densecolor.shards import Block
from densecolor.shards import encode_block


class Unusable(ValueError):  # noqa: N818 - the reason in words
    """Why a picture is not packed."""


@dataclasses.dataclass(frozen=True)
class EncodedBlock:
    """What became of some consecutive pictures of a shard."""

    block: Block
    rejected: list  # of (key, reason)


@dataclasses.dataclass(frozen=True)
class BlockEncoder:
    """Reads, decodes, fits, converts to Lab, quantises and compresses pictures; sent once to every worker.

    Attributes:
        files: where the bytes are.
        options: what to make of them.
    """

    files: FolderFiles | ZipFiles
    options: PackOptions

    def __call__(self, entries):
        """Encode the pictures of `entries`, a sequence of Entry.

        Returns:
            EncodedBlock.
        """
        side = self.options.image_size
        lightness = np.empty((len(entries), side, side), np.uint8)
        ab = np.empty((len(entries), side, side, 2), np.int8)
        packed, sizes, rejected = [], [], []
        for entry in entries:
            try:
                place = len(packed)
                sizes.append(self._convert(entry, lightness[place], ab[place]))
                packed.append(entry)
            except Unusable as reason:
                rejected.append((entry.key, str(reason)))
        count = len(packed)
        block = encode_block(
            keys=[entry.key for entry in packed],
            labels=[entry.label for entry in packed],
            original_sizes=sizes,
            lightness=lightness[:count],
            ab=ab[:count],
            compression=self.options.compression,
        )
        return EncodedBlock(block, rejected)

    def _convert(self, entry, lightness, ab):
        """Fill in the two arrays for one picture.

        Returns:
            (height, width) before fitting.

        Raises:
            Unusable: the picture is not to be packed.
        """
        options = self.options
        try:
            picture = decode_image(self.files.read(entry.path), entry.key)
        except OSError as error:
            raise Unusable(f"cannot be read: {error.strerror or error}") from error
        except ImageError as error:
            raise Unusable(str(error).removeprefix(f"{entry.key}: ").removesuffix(".")) from error
        if picture.is_gray and not options.keep_grayscale:
            raise Unusable("grayscale")
        # Planes, because NumPy works several times as fast along whole rows as along pairs of values.
        lab = cv2.split(srgb_to_lab(fit_picture(picture, options.image_size, options.fit)))
        if not options.keep_grayscale and is_grayscale(*lab[1:]):
            raise Unusable("grayscale")
        lightness[:] = quantize_lightness(lab[0])
        cv2.merge([quantize_ab(lab[1]), quantize_ab(lab[2])], ab)
        return picture.pixels.shape[:2]
