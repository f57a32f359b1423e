"""Read stored pictures by their places in the file, outside of HDF5.

HDF5 has one lock for the whole process and decompresses under it, so that threads that read through it wait for each
other. Where a picture's bytes lie, and which filters they went through, it says once; the rest is a positioned read, a
checksum and a decoder that several threads run at the same time. Whatever is not as the writer makes it is left to
HDF5, which thus has the last word on what is damaged.
"""

import os
import weakref

import h5py
import imagecodecs
import numpy as np

_GZIP, _FLETCHER32, _LZF = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_LZF
_DECODERS = {_GZIP: imagecodecs.deflate_decode, _LZF: imagecodecs.lzf_decode}
_DECODER_ERRORS = (imagecodecs.DeflateError, imagecodecs.LzfError)
_CHECKSUM_BYTES = 4
_HAS_PREADV = hasattr(os, "preadv")  # Windows has not


class Descriptor:
    """A file that is open for positioned reads, which threads share, until nobody holds it any more.

    Args:
        path: the file.
    """

    def __init__(self, path):
        self._number = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._number).atexit = False  # threads may read until the very end

    def fill(self, buffer, offset):
        """Fill a uint8 array with the bytes from an offset on; returns whether there were enough."""
        filled = 0
        while filled < len(buffer):
            count = os.preadv(self._number, [buffer[filled:]], offset + filled)
            if not count:
                return False
            filled += count
        return True


class ShardIndex:
    """All that reading needs of a shard once it is closed: where its pictures lie, and their labels.

    Args:
        shard: an open `Shard`.

    Attributes:
        pictures: dict of "L", "ab" and, if the shard has masks, "mask" to StoredPictures, or to None where only HDF5
            can read them.
        labels: int32 (N,), -1 where unlabelled.
    """

    def __init__(self, shard):
        names = ("L", "ab") if shard.mask is None else ("L", "ab", "mask")
        self.pictures = {name: locate_pictures(shard.stored(name)) for name in names}
        self.labels = shard.labels


class StoredPictures:
    """Where the pictures of one dataset lie in the file, 13 bytes a picture in memory; `locate_pictures` makes one.

    Args:
        shape, dtype: of one picture.
        filters: numbers of the HDF5 filters, in the order in which they were written through.
        offsets: int64 (N,), of the pictures in the file.
        sizes: uint32 (N,), bytes there; 0 where nothing was ever written.
        left_out: uint8 (N,), a bit for each filter that a picture did not go through, as lzf where it saved nothing.
    """

    def __init__(self, shape, dtype, filters, offsets, sizes, left_out):
        self.shape = shape
        self.dtype = dtype
        self._filters = filters
        self._offsets = offsets
        self._sizes = sizes
        self._left_out = left_out
        self._bytes = int(np.prod(shape))

    def read_into(self, descriptor, index, out):
        """Read one picture.

        Args:
            descriptor: `Descriptor` of the file.
            index: which picture, in [0, N).
            out: C-contiguous array of its shape and type; undefined where the picture could not be read.

        Returns:
            bool: False where only HDF5 can read the picture, or say what is wrong with it.
        """
        left_out = self._left_out[index]
        filters = [number for bit, number in enumerate(self._filters) if not left_out >> bit & 1]
        size = int(self._sizes[index])
        flat = out.reshape(-1).view(np.uint8)
        is_checked = _FLETCHER32 in filters
        decoders = [_DECODERS[number] for number in filters if number != _FLETCHER32]
        if not decoders and not is_checked:
            return size == self._bytes and descriptor.fill(flat, int(self._offsets[index]))
        if not _CHECKSUM_BYTES < size <= self._bytes + self._bytes // 8 + 64:  # decoders need no more room
            return False
        stored = np.empty(size, np.uint8)
        if not descriptor.fill(stored, int(self._offsets[index])):
            return False
        if is_checked:
            stored, checksum = stored[:-_CHECKSUM_BYTES], int.from_bytes(stored[-_CHECKSUM_BYTES:], "little")
            if imagecodecs.h5checksum_fletcher32(stored) != checksum:
                return False
        if not decoders:
            flat[: len(stored)] = stored[: len(flat)]
            return len(stored) == len(flat)
        try:
            return len(decoders[0](stored, out=flat)) == len(flat)
        except _DECODER_ERRORS:
            return False


def locate_pictures(dataset):
    """Where the pictures of a dataset lie.

    Args:
        dataset: h5py.Dataset (N, ...) of bytes, contiguous or in chunks of one picture.

    Returns:
        StoredPictures, or None where only HDF5 can read them: other chunks, other filters, another layout.
    """
    count, shape = len(dataset), dataset.shape[1:]
    if not _HAS_PREADV or dataset.dtype.itemsize != 1 or dataset.is_virtual or dataset.external:
        return None
    sizes, left_out = np.zeros(count, np.uint32), np.zeros(count, np.uint8)
    if dataset.chunks is None:
        offset = dataset.id.get_offset()
        if offset is None:  # compact, or never written
            return None
        sizes[:] = np.prod(shape)
        offsets = offset + np.prod(shape, dtype=np.int64) * np.arange(count)
        return StoredPictures(shape, dataset.dtype, (), offsets, sizes, left_out)
    plan = dataset.id.get_create_plist()
    filters = tuple(plan.get_filter(number)[0] for number in range(plan.get_nfilters()))
    if dataset.chunks != (1, *shape) or filters not in _known_pipelines():
        return None
    offsets = np.zeros(count, np.int64)

    def note(chunk):
        index = chunk.chunk_offset[0]
        if index < count:  # a dataset that was shortened
            offsets[index], sizes[index], left_out[index] = chunk.byte_offset, chunk.size, chunk.filter_mask

    dataset.id.chunk_iter(note)
    return StoredPictures(shape, dataset.dtype, filters, offsets, sizes, left_out)


def _known_pipelines():
    """One decoder at most, and the checksum, if there is one, of what is stored."""
    decoders = [(), *((number,) for number in _DECODERS)]
    return {(*decoder, *checksum) for decoder in decoders for checksum in ((), (_FLETCHER32,))}
