"""The loss of pictures that a mask was laid over: where it matters."""

import keras
from keras import ops

from densecolor.errors import DensecolorError

NORMS = (1, 2)


@keras.saving.register_keras_serializable(package="densecolor")
class AttentionLoss(keras.losses.Loss):
    """How far masked colours are from the true colours under the true mask.

    With predicted and true colours c and t, masks m and n in [0, 1], over pixels and channels:

        mean |m c - n t|        (norm=1; the attention loss of Zhao et al., "SCGAN", IEEE TCSVT 31(8), 2021)
        mean (m c - n t)^2      (norm=2; ours, for systems whose colours are trained by squares)

    In SCGAN m is the predicted saliency, which has no other loss; in our reconstruction of SMCGAN (Zhang Z. et al.,
    Bioengineering 9(12):721, 2022) a sample of the predicted foreground. Models return the product m c as `masked_rgb`
    or `masked_ab`; `densecolor.dataset` gives n t, with n = 1 for pictures that were packed without a mask. By the
    triangle inequality the loss is at most that of the colours inside the mask and that of the mask where colours
    are: mean |m c - n t| <= mean m |c - t| + mean |m - n| |t|.

    Input: `y_true` n t, `y_pred` m c, (batch, H, W, C) as `mask_colors` makes them; sample weights (batch, 1, 1).

    Args:
        norm: 1 or 2.

    Raises:
        DensecolorError: `norm` is neither.

    Example:
        >>> color, half = np.full((1, 2, 2, 3), 0.8), np.full((1, 2, 2, 1), 0.5)
        >>> round(float(AttentionLoss()(color, mask_colors(color, half))), 4)
        0.4
    """

    def __init__(self, norm=1, name="attention_loss", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if norm not in NORMS:
            raise DensecolorError(f"`norm` must be 1 or 2. Received: {norm}.")
        self.norm = norm

    def call(self, y_true, y_pred):
        """Loss of each pixel, (batch, H, W)."""
        difference = y_pred - y_true
        return ops.mean(ops.abs(difference) if self.norm == 1 else ops.square(difference), axis=-1)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {**super().get_config(), "norm": self.norm}


def mask_colors(colors, mask):
    """Colours under a mask.

    Args:
        colors: (batch, H, W, C), RGB in [0, 1] (the background becomes black) or ab / 128 (it becomes gray).
        mask: (batch, H, W, 1) in [0, 1].

    Returns:
        (batch, H, W, C).
    """
    return ops.multiply(colors, mask)
