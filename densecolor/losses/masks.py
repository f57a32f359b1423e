"""The loss of a predicted mask."""

import keras
from keras import ops

from densecolor.errors import DensecolorError

PROBABILITY_FLOOR = 1e-7
SMOOTHING = 1.0  # pixels, so that empty masks have a Dice coefficient


@keras.saving.register_keras_serializable(package="densecolor")
class MaskCrossentropy(keras.losses.Loss):
    """Binary cross-entropy of a mask, and how little it overlaps.

    For a picture with true mask m and predicted probabilities p, over its pixels:

        mean(-m log p - (1 - m) log(1 - p)) + dice_weight * (1 - (2 sum(m p) + 1) / (sum(m) + sum(p) + 1))

    The second term is one minus the soft Dice coefficient (Milletari et al., "V-Net", 3DV 2016, in the form without
    squares), which small foregrounds need. True masks may be weights between 0 and 1, which are never met exactly:
    both terms then stay above 0.

    Input: `y_true`, `y_pred` (batch, H, W, 1) in [0, 1]; sample weights (batch, 1, 1).

    Args:
        dice_weight: float >= 0.

    Raises:
        DensecolorError: `dice_weight` is negative.

    Example:
        >>> mask, even = np.ones((1, 4, 4, 1)), np.full((1, 4, 4, 1), 0.5)
        >>> round(float(MaskCrossentropy(dice_weight=0.0)(mask, even)), 4)
        0.6931
    """

    def __init__(self, dice_weight=1.0, name="mask_crossentropy", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not dice_weight >= 0:
            raise DensecolorError(f"`dice_weight` must not be negative. Received: {dice_weight}.")
        self.dice_weight = dice_weight

    def call(self, y_true, y_pred):
        """Loss of each picture, (batch, 1, 1)."""
        p = ops.clip(y_pred, PROBABILITY_FLOOR, 1 - PROBABILITY_FLOOR)
        entropy = -y_true * ops.log(p) - (1 - y_true) * ops.log(1 - p)
        loss = ops.mean(entropy, axis=(1, 2))[..., None]
        if not self.dice_weight:
            return loss
        overlap, true, predicted = (ops.sum(x, axis=(1, 2))[..., None] for x in (y_true * y_pred, y_true, y_pred))
        dice = (2 * overlap + SMOOTHING) / (true + predicted + SMOOTHING)
        return loss + self.dice_weight * (1 - dice)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {**super().get_config(), "dice_weight": self.dice_weight}
