"""The one place that knows CIE Lab, sRGB and the value ranges of models and shards.

NumPy functions are here; the same conversions for use inside a Keras graph are in `densecolor.color.ops`,
which is not imported from here so that packing never pays for importing Keras.

| quantity | range |
|---|---|
| Lab (D65, 2 degrees, from sRGB) | L in [0, 100], a and b in [-128, 127] |
| a model's `lightness` | L / 50 - 1, in [-1, 1] |
| a model's `ab` | ab / 128, in [-1, 1) |
| a shard's `L`, `ab` | uint8 L * 255 / 100, int8 a and b, rounded |
"""

from densecolor.color.gamut import GamutAccount
from densecolor.color.gamut import map_to_gamut
from densecolor.color.lab import gray_to_lightness
from densecolor.color.lab import lab_to_srgb
from densecolor.color.lab import lab_to_srgb_with_account
from densecolor.color.lab import srgb_to_lab
from densecolor.color.planes import LabPlanes
from densecolor.color.ranges import AB_SCALE
from densecolor.color.ranges import denormalize_ab
from densecolor.color.ranges import denormalize_lightness
from densecolor.color.ranges import dequantize_lightness
from densecolor.color.ranges import normalize_ab
from densecolor.color.ranges import normalize_lightness
from densecolor.color.ranges import quantize_ab
from densecolor.color.ranges import quantize_lightness

__all__ = [
    "AB_SCALE",
    "GamutAccount",
    "LabPlanes",
    "denormalize_ab",
    "denormalize_lightness",
    "dequantize_lightness",
    "gray_to_lightness",
    "lab_to_srgb",
    "lab_to_srgb_with_account",
    "map_to_gamut",
    "normalize_ab",
    "normalize_lightness",
    "quantize_ab",
    "quantize_lightness",
    "srgb_to_lab",
]
