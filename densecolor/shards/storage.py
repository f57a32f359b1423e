"""The file under a shard in the making: HDF5 on a disk that may be full."""

import io

import h5py

from densecolor.errors import ShardError


class _DeferringStorage(io.FileIO):
    """A file that keeps a failed write to itself, as `error`, and lets all later ones vanish.

    HDF5 may crash where a write fails while it closes a file, so it must not notice that the disk is full.
    """

    error = None

    def write(self, data):
        rest = memoryview(data).cast("B")
        while rest and self.error is None:
            try:
                rest = rest[super().write(rest) :]
            except OSError as error:
                self.error = error
        return len(data)

    def truncate(self, size=None):
        try:
            return super().truncate(size)
        except OSError as error:
            self.error = self.error or error
            return size


class ShardFile(h5py.File):
    """An HDF5 file that says with `check` whether all that was written so far could be.

    Args:
        path: the file, made anew.
    """

    def __init__(self, path):
        self._storage = _DeferringStorage(path, "w+")
        super().__init__(self._storage, "w", libver=("earliest", "v110"))

    def close(self):
        """Close the file, whatever has become of its contents."""
        super().close()
        self._storage.close()

    def check(self):
        """Say that a write has failed.

        Raises:
            ShardError: one has.
        """
        error = self._storage.error
        if error is not None:
            raise ShardError(f"{self._storage.name} cannot be written: {error.strerror}. Is the disk full?") from error
