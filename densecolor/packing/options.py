"""What decides the contents of a packed folder, beside its source."""

import dataclasses

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.packing.transforms import FITS
from densecolor.shards import COMPRESSIONS

MAX_IMAGE_SIZE = 8192


@dataclasses.dataclass(frozen=True)
class PackOptions:
    """The options of one packing, checked; recorded in every shard and in the manifest.

    Raises:
        DensecolorError: an option has no such value.
    """

    image_size: int = 256  # side in pixels
    fit: str = "crop"  # or "pad", "stretch"
    shard_size: int = 1024  # images
    validation_fraction: float = 0.05  # of the images whose source has no splits
    compression: str = "lzf"  # or "gzip", "none"
    keep_grayscale: bool = False  # pack images without colour too
    masks: str = "none"  # or "files", "otsu", "saliency"
    max_pixels: int = DEFAULT_MAX_PIXELS  # larger images are refused
    window: tuple | None = None  # of gray values, for medical images; their own if None
    plane: str | None = None  # of slices: "axial" (also if None), "coronal" or "sagittal"

    def __post_init__(self):
        require_choice("fit", self.fit, FITS)
        require_choice("compression", self.compression, COMPRESSIONS)
        _check("image_size", self.image_size, f"from 1 to {MAX_IMAGE_SIZE}", 1 <= self.image_size <= MAX_IMAGE_SIZE)
        _check("max_pixels", self.max_pixels, "at least 1", self.max_pixels >= 1)
        _check("shard_size", self.shard_size, "at least 1", self.shard_size >= 1)
        _check(
            "validation_fraction",
            self.validation_fraction,
            "at least 0 and less than 1",
            0 <= self.validation_fraction < 1,
        )

    @property
    def has_masks(self):
        """Whether the shards hold masks."""
        return self.masks != "none"


def _check(name, value, rule, holds):
    if not holds:
        raise DensecolorError(f"`{name}` must be {rule}. Received: {name}={value}.")
