"""From the pictures of a part of a shard to a file that holds them: all that costs time, done in any process."""

import dataclasses
import errno
import functools
from pathlib import Path

import numpy as np

from densecolor.color import LabPlanes
from densecolor.errors import ImageError
from densecolor.errors import SourceError
from densecolor.image_io import decode_image
from densecolor.interruption import DeferredInterrupt
from densecolor.packing.options import PackOptions
from densecolor.packing.transforms import fit_mask
from densecolor.packing.transforms import fit_picture
from densecolor.packing.transforms import is_grayscale
from densecolor.packing.transforms import reduction
from densecolor.shards import ShardWriter

BLOCK_PIXELS = 1 << 20  # of the pictures written at once, all together: 16 of 256 x 256, some megabytes
BLOCK_IMAGES = 256  # at most

# What a network file system answers that is not there: no picture's own fault.
GONE = (errno.ESTALE, errno.ENOTCONN, errno.ENODEV, errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ETIMEDOUT)


class Unusable(ValueError):  # noqa: N818 - the reason in words
    """Why a picture is not packed."""


@dataclasses.dataclass(frozen=True)
class Item:
    """One picture to pack: what a worker must know of it."""

    key: str
    label: int
    place: object  # for the reader


@dataclasses.dataclass(frozen=True)
class Task:
    """Consecutive pictures of one shard, to be written into one file."""

    file: str  # name, in the folder of the work
    split: str
    items: list  # of Item


@dataclasses.dataclass(frozen=True)
class Written:
    """What became of a task."""

    file: str
    count: int  # pictures in the file
    rejected: list  # of (key, reason)


@dataclasses.dataclass(frozen=True)
class PartEncoder:
    """Reads, decodes, fits, converts to Lab, quantises, compresses and writes; sent once to every worker.

    Attributes:
        reader: gives the pictures.
        options: PackOptions, what to make of them.
        writer_options: dict, arguments of every ShardWriter.
        folder: where the files go.
    """

    reader: object
    options: PackOptions
    writer_options: dict
    folder: Path

    def __call__(self, task, advance):
        """Do a task.

        Args:
            task: Task.
            advance: function that is told how many pictures are done each time that some are.

        Returns:
            Written.

        Raises:
            SourceError: the whole source has vanished.
            ShardError, OSError: the file cannot be written.
        """
        side = self.options.image_size
        block_size = max(1, min(BLOCK_IMAGES, BLOCK_PIXELS // side**2, len(task.items)))
        block = _Block(block_size, side, self.options.has_masks)
        rejected = []
        path = self.folder / task.file
        with (
            DeferredInterrupt() as interrupt,
            ShardWriter(path, capacity=len(task.items), split=task.split, **self.writer_options) as writer,
        ):
            for start in range(0, len(task.items), block_size):
                items = task.items[start : start + block_size]
                for item in items:
                    try:
                        self._convert(item, block)
                    except Unusable as reason:
                        rejected.append((item.key, str(reason)))
                block.write(writer)
                advance(len(items))
                interrupt.check()
        return Written(task.file, writer.count, rejected)

    def _convert(self, item, block):
        """Add one picture to the block.

        Raises:
            Unusable: the picture is not to be packed.
        """
        options = self.options
        sample = self._read(item)
        if sample.picture.is_gray and not options.keep_grayscale:
            raise Unusable("grayscale")
        fit = functools.partial(fit_picture, image_size=options.image_size, fit=options.fit)
        block.planes.convert(fit(sample.picture))
        if not options.keep_grayscale and is_grayscale(block.planes.a, block.planes.b):
            raise Unusable("grayscale")
        mask = None if sample.mask is None else fit_mask(sample.mask, options.image_size, options.fit)
        lightness = None if sample.lightness is None else fit(sample.lightness)
        block.add(item, sample.picture.original_size, mask, lightness)

    def _read(self, item):
        options = self.options
        decode = functools.partial(
            decode_image,
            max_pixels=options.max_pixels,
            reduce=functools.partial(reduction, image_size=options.image_size, fit=options.fit),
        )
        try:
            return self.reader.read(item.place, item.key, decode)
        except OSError as error:
            if error.errno in GONE or not self.reader.is_there(item.place):
                raise SourceError(
                    "The source has vanished while it was read. When it is back, give the same command again: it goes "
                    "on where it was."
                ) from None
            raise Unusable(f"cannot be read: {error.strerror or error}") from None
        except ImageError as error:
            raise Unusable(str(error).removeprefix(f"{item.key}: ").removesuffix(".")) from None


class _Block:
    """Some pictures in the types that shards store, in memory that is used again and again."""

    def __init__(self, size, side, with_mask):
        self.planes = LabPlanes(side, side)
        self._lightness = np.empty((size, side, side), np.uint8)
        self._ab = np.empty((size, side, side, 2), np.int8)
        self._mask = np.empty((size, side, side), np.uint8) if with_mask else None
        self._items, self._sizes = [], []

    def add(self, item, original_size, mask, lightness):
        """Add the picture that `planes` holds, its lightness taken from another picture if that is not None."""
        place = len(self._items)
        self.planes.quantize_ab(self._ab[place])
        if lightness is not None:
            self.planes.convert(lightness)
        self.planes.quantize_lightness(self._lightness[place])
        if self._mask is not None:
            self._mask[place] = mask
        self._items.append(item)
        self._sizes.append(original_size)

    def write(self, writer):
        """Hand all pictures to a ShardWriter and begin again."""
        count = len(self._items)
        if count:
            keys, labels = [item.key for item in self._items], [item.label for item in self._items]
            mask = None if self._mask is None else self._mask[:count]
            writer.append(keys, labels, self._sizes, self._lightness[:count], self._ab[:count], mask)
        self._items, self._sizes = [], []
