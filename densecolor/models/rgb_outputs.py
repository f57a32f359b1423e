"""What colorizers that predict RGB return."""

import keras

from densecolor.color import normalize_ab
from densecolor.color.ops import srgb_to_lab
from densecolor.models.layers import CropLike


@keras.saving.register_keras_serializable(package="densecolor")
class RGBToAb(keras.layers.Layer):
    """The a and b of sRGB colours, as all colorizers return them; the colours' own lightness is lost."""

    def __init__(self, **kwargs):
        super().__init__(autocast=False, **kwargs)

    def call(self, rgb):
        """(batch, H, W, 3), clipped to [0, 1], to ab / 128, float32 (batch, H, W, 2)."""
        return normalize_ab(srgb_to_lab(rgb)[..., 1:])

    def compute_output_shape(self, shape):
        """A and b for each pixel."""
        return (*shape[:-1], 2)


def rgb_outputs(rgb, lightness, mask=None, shown_mask=None):
    """The outputs of a system that predicts RGB: `ab`, `rgb`, and with a mask `mask` and `masked_rgb`.

    Args:
        rgb: float32 (batch, H', W', 3), what the network made of the padded picture.
        lightness: (batch, H, W, 1), the picture.
        mask: float32 (batch, H, W, 1) in [0, 1], made by a layer of the name "mask", or None.
        shown_mask: what the picture is multiplied by, of the same shape; None: the mask itself.

    Returns:
        dict of output tensors.
    """
    rgb = CropLike(dtype="float32", name="rgb")([rgb, lightness])
    outputs = {"ab": RGBToAb(dtype="float32", name="ab")(rgb), "rgb": rgb}
    if mask is not None:
        outputs["mask"] = mask
        shown_mask = mask if shown_mask is None else shown_mask
        outputs["masked_rgb"] = keras.layers.Multiply(dtype="float32", name="masked_rgb")([rgb, shown_mask])
    return outputs
