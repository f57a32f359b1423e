"""A source whose pictures have masks."""

import dataclasses
import os
from collections.abc import Callable

from densecolor.errors import SourceError
from densecolor.image_io import decode_image
from densecolor.packing.masks.computed import otsu_mask
from densecolor.packing.masks.computed import saliency_mask
from densecolor.packing.masks.files import MaskedReader
from densecolor.packing.masks.files import MaskFiles
from densecolor.shards.schema import UNLABELLED

COMPUTED_MASKS = {"otsu": otsu_mask, "saliency": saliency_mask}


@dataclasses.dataclass(frozen=True)
class ComputedMaskReader:
    """Adds masks that are computed from the pictures to what another reader reads.

    Attributes:
        reader: any reader of pictures; see `densecolor.packing.readers`.
        mask_of: function, pixels -> uint8 (H, W).
    """

    reader: object
    mask_of: Callable

    def locate(self, entry):
        """The place of one picture."""
        return self.reader.locate(entry)

    def is_there(self):
        """Whether the pictures still exist as a whole."""
        return self.reader.is_there()

    def read(self, place, key, decode=decode_image):
        """Decode one picture and compute its mask.

        Returns:
            Sample, with its mask.

        Raises:
            ImageError, OSError: as the reader of the pictures.
        """
        sample = self.reader.read(place, key, decode)
        return dataclasses.replace(sample, mask=self.mask_of(sample.picture.pixels))


def with_masks(source, masks, path):
    """Give the pictures of a source masks.

    Args:
        source: Source.
        masks: "otsu", "saliency", or a folder of masks (see `MaskFiles`).
        path: what the source was opened from. Where masks lie inside it, they are no longer among its pictures, nor
            their folder among its classes.

    Returns:
        Source.

    Raises:
        SourceError: there is no such folder, or no mask in it.
    """
    if masks in COMPUTED_MASKS:
        return dataclasses.replace(source, reader=ComputedMaskReader(source.reader, COMPUTED_MASKS[masks]))
    pictures = os.fspath(path) if os.path.isdir(path) else None
    files = MaskFiles(masks, pictures, source.is_private)
    source = dataclasses.replace(source, reader=MaskedReader(source.reader, files))
    return source if pictures is None else _without(source, pictures, files)


def _without(source, root, files):
    """The source without the pictures that are masks."""
    masks = {os.path.realpath(path) for path in files.paths}
    kept = [entry for entry in source.entries if os.path.realpath(os.path.join(root, entry.path)) not in masks]
    if not kept:
        raise SourceError(f"All pictures in {root} would be masks. Name a folder that holds masks alone.")
    labels = {entry.label for entry in kept}
    emptied = {entry.label for entry in source.entries} - labels
    names = [name for label, name in enumerate(source.class_names) if label not in emptied]
    new_labels = {source.class_names.index(name): label for label, name in enumerate(names)} | {UNLABELLED: UNLABELLED}
    entries = [dataclasses.replace(entry, label=new_labels[entry.label]) for entry in kept]
    return dataclasses.replace(source, entries=entries, class_names=names)
