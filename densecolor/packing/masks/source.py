"""A source whose pictures have masks."""

import dataclasses
import os
from collections.abc import Callable

from densecolor.errors import SourceError
from densecolor.image_io import decode_image
from densecolor.packing.files import FolderFiles
from densecolor.packing.masks.computed import otsu_mask
from densecolor.packing.masks.computed import saliency_mask
from densecolor.packing.masks.files import MaskedReader
from densecolor.packing.masks.files import MaskFiles
from densecolor.packing.sources.combined import CombinedReader
from densecolor.packing.sources.pairs import PairReader
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

    def is_there(self, place):
        """Whether the pictures still exist as a whole."""
        return self.reader.is_there(place)

    def read(self, place, key, decode=decode_image):
        """Decode one picture and compute its mask.

        Returns:
            Sample, with its mask.

        Raises:
            ImageError, OSError: as the reader of the pictures.
        """
        sample = self.reader.read(place, key, decode)
        return dataclasses.replace(sample, mask=self.mask_of(sample.picture.pixels))


def with_masks(source, masks):
    """Give the pictures of a source masks.

    Args:
        source: Source.
        masks: "otsu", "saliency", or a folder of masks (see `MaskFiles`). Files of it are no longer among the pictures,
            nor their folders among the classes: no picture is its own mask.

    Returns:
        Source.

    Raises:
        SourceError: there is no such folder, or no mask in it, or no picture beside them.
    """
    if masks in COMPUTED_MASKS:
        return dataclasses.replace(source, reader=ComputedMaskReader(source.reader, COMPUTED_MASKS[masks]))
    files = MaskFiles(masks, source.is_private)
    kept = _entries_beside(source, files)
    return dataclasses.replace(_with_entries(source, kept), reader=MaskedReader(source.reader, files))


def _entries_beside(source, masks):
    """The entries that are no masks."""
    folder = os.path.realpath(masks.files.root)
    paths = None
    kept = []
    for entry in source.entries:
        root = _root_of(source.reader, entry)
        if root is None or os.path.commonpath([root, folder]) not in (root, folder):
            kept.append(entry)
            continue
        paths = paths or {os.path.realpath(path) for path in masks.paths}
        if os.path.realpath(os.path.join(root, entry.path)) not in paths:
            kept.append(entry)
    if not kept:
        raise SourceError(f"All pictures would be masks, for they lie in {masks.files.root}. Keep masks apart.")
    return kept


def _root_of(reader, entry):
    """The real path of the folder that a picture lies in, or None where it lies in an archive."""
    if isinstance(reader, CombinedReader):
        reader = reader.readers[entry.source]
    files = reader.color_files if isinstance(reader, PairReader) else reader.files
    return os.path.realpath(files.root) if isinstance(files, FolderFiles) else None


def _with_entries(source, kept):
    """The source with some of its entries and without classes that have become empty."""
    emptied = {entry.label for entry in source.entries} - {entry.label for entry in kept}
    names = [name for label, name in enumerate(source.class_names) if label not in emptied]
    new_labels = {source.class_names.index(name): label for label, name in enumerate(names)} | {UNLABELLED: UNLABELLED}
    entries = [dataclasses.replace(entry, label=new_labels[entry.label]) for entry in kept]
    return dataclasses.replace(source, entries=entries, class_names=names)
