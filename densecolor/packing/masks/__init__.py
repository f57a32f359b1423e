"""Masks: which part of a picture is foreground, or how much each pixel stands out.

`files` finds the masks that a dataset brings along, `computed` makes some from the picture itself.
"""

from densecolor.packing.masks.computed import otsu_mask
from densecolor.packing.masks.computed import saliency_mask
from densecolor.packing.masks.files import MaskedReader
from densecolor.packing.masks.files import MaskFiles
from densecolor.packing.masks.source import COMPUTED_MASKS
from densecolor.packing.masks.source import with_masks

__all__ = ["COMPUTED_MASKS", "MaskFiles", "MaskedReader", "otsu_mask", "saliency_mask", "with_masks"]
