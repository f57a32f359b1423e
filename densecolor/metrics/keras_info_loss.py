"""The paper's measure of a colorization, information loss, as a Keras metric.

Not imported from the package, whose NumPy functions do without Keras.
"""

import keras
from keras import ops

from densecolor.color import denormalize_ab

LEVELS = 256
NAME = "info_loss"


@keras.saving.register_keras_serializable(package="densecolor")
class InfoLoss(keras.metrics.Mean):
    """Mean over pictures of |ab_entropy(true) - ab_entropy(predicted)|, in bits: `densecolor.metrics.info_loss`.

    Pictures of weight 0, such as the padding of a last batch, do not count; several replicas add sums and counts.

    Input: `y_true`, `y_pred` (batch, H, W, 2), ab / 128; sample weights (batch, 1, 1).

    Zhang N. et al., "Image Colorization Algorithm based on Dense Neural Network", 2019, equation 7.

    Example:
        >>> metric = InfoLoss()
        >>> metric.update_state(np.array([[[[0, 0], [0.5, 0]]]]), np.zeros((1, 1, 2, 2)))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, name=NAME, dtype="float32"):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch."""
        loss = ops.abs(_entropy(y_true) - _entropy(y_pred))
        if sample_weight is not None:
            sample_weight = ops.reshape(sample_weight, (-1,))
        super().update_state(loss, sample_weight)

    def get_config(self):
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}


def _entropy(ab):
    """Entropy of a plus entropy of b of each picture, (batch,)."""
    ab = ops.cast(ab, "float32")
    batch, pixels = ops.shape(ab)[0], ops.shape(ab)[1] * ops.shape(ab)[2]
    # A diverged model may give NaN, which is no level at all: the loss reports it.
    level = ops.clip(ops.round(denormalize_ab(ops.nan_to_num(ab))), -128, 127) + 128
    histogram = ops.reshape(ops.arange(batch), (-1, 1, 1, 1)) * 2 + ops.arange(2)
    index = ops.reshape(ops.cast(level, "int32") + ops.cast(histogram, "int32") * LEVELS, (-1,))
    # One flat count: one_hot would need 256 numbers a pixel.
    counts = ops.segment_sum(ops.ones_like(index, "float32"), index, batch * 2 * LEVELS)
    share = ops.reshape(counts, (-1, 2 * LEVELS)) / ops.cast(pixels, "float32")
    return -ops.sum(share * ops.log2(ops.where(share > 0, share, 1.0)), axis=-1)
