"""The loss of Larsson et al. over histograms of hue and chroma."""

import keras
from keras import ops

from densecolor.color.hue_chroma import HISTOGRAM_BINS

FLOOR = 1e-30  # as in ab_distribution: no gradient is cut off


@keras.saving.register_keras_serializable(package="densecolor")
class HueChromaCrossentropy(keras.losses.Loss):
    """KL divergence of the true histograms from the predicted ones: chroma, and hue in proportion to the true chroma.

    Larsson G., Maire M., Shakhnarovich G., "Learning Representations for Automatic Colorization", ECCV 2016: the true
    histogram is that of the pixel alone, so that the divergence is the cross-entropy of its bin; a gray pixel has no
    hue to learn. The released code also lets the chroma term fade near black and white and takes histograms of 7 x 7
    pixels; the paper has neither.

    Pixels that the network has not sampled in training have predictions of sum 0 and do not count: the loss of a
    picture is the mean over its sampled pixels.

    Input: `y_true` (batch, H, W, 2), hue and chroma in [0, 1]; `y_pred` (batch, H, W, 2, 32), probabilities of hue and
    of chroma; sample weights (batch, 1, 1).

    Args:
        hue_weight: of the hue term, lambda_H in the paper.

    Example:
        >>> uniform = np.full((1, 1, 1, 2, 32), 1 / 32)
        >>> round(float(HueChromaCrossentropy()(np.array([[[[0.5, 0.2]]]]), uniform)), 4)  # (1 + 5 * 0.2) * log(32)
        6.9315
    """

    def __init__(
        self, hue_weight=5.0, name="hue_chroma_crossentropy", reduction="sum_over_batch_size", dtype="float32"
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.hue_weight = hue_weight

    def call(self, y_true, y_pred):
        """Loss of each pixel, (batch, H, W), scaled so that its mean is that over the sampled pixels."""
        index = ops.cast(ops.clip(ops.floor(y_true * HISTOGRAM_BINS), 0, HISTOGRAM_BINS - 1), "int32")
        chosen = ops.take_along_axis(y_pred, index[..., None], axis=-1)[..., 0]
        hue, chroma = ops.split(-ops.log(ops.maximum(chosen, FLOOR)), 2, axis=-1)
        loss = (chroma + self.hue_weight * y_true[..., 1:] * hue)[..., 0]
        sampled = ops.cast(ops.sum(y_pred[..., 1, :], axis=-1) > 0.5, loss.dtype)
        return loss * sampled / ops.maximum(ops.mean(sampled, axis=(1, 2), keepdims=True), 1e-9)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {**super().get_config(), "hue_weight": self.hue_weight}
