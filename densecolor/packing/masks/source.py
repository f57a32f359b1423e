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
    readers = source.reader.readers if isinstance(source.reader, CombinedReader) else (source.reader,)
    roots = [_root_shared_with(reader, os.path.realpath(masks.files.root)) for reader in readers]
    paths = {os.path.realpath(path) for path in masks.paths} if any(roots) else set()
    kept = [
        entry
        for entry in source.entries
        if roots[entry.source] is None or os.path.realpath(os.path.join(roots[entry.source], entry.path)) not in paths
    ]
    if not kept:
        raise SourceError(f"All pictures would be masks, for they lie in {masks.files.root}. Keep masks apart.")
    return kept


def _root_shared_with(reader, folder):
    """The real path of a reader's folder if one of the two lies in the other, else None; None for an archive."""
    files = reader.color_files if isinstance(reader, PairReader) else reader.files
    if not isinstance(files, FolderFiles):
        return None
    root = os.path.realpath(files.root)
    return root if os.path.commonpath([root, folder]) in (root, folder) else None


def _with_entries(source, kept):
    """The source with some of its entries and without classes that have become empty."""
    emptied = {entry.label for entry in source.entries} - {entry.label for entry in kept}
    names = [name for label, name in enumerate(source.class_names) if label not in emptied]
    new_labels = {source.class_names.index(name): label for label, name in enumerate(names)} | {UNLABELLED: UNLABELLED}
    entries = [dataclasses.replace(entry, label=new_labels[entry.label]) for entry in kept]
    return dataclasses.replace(source, entries=entries, class_names=names)
