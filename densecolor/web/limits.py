"""How much the page takes at a time."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limits:
    """Bounds on what is uploaded, so that nobody fills the memory or the disk.

    Attributes:
        megabytes: of one file.
        megapixels: of one picture, or of all slices of a volume together.
        files: of one batch.
        minutes: how long files are kept.
    """

    megabytes: int = 64
    megapixels: int = 64
    files: int = 100
    minutes: int = 60

    @property
    def file_bytes(self):
        """Bytes of one file."""
        return self.megabytes * 1_000_000

    @property
    def request_bytes(self):
        """Bytes of one request, which may bring several files."""
        return 16 * self.file_bytes

    @property
    def pixels(self):
        """Pixels of one file."""
        return self.megapixels * 1_000_000

    @property
    def seconds(self):
        """How long files are kept."""
        return self.minutes * 60
