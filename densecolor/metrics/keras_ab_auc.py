"""The area under the curve of right pixels over their tolerance (Zhang R. et al., 2016), as a Keras metric.

Not imported from the package, whose NumPy functions do without Keras.
"""

import keras
from keras import ops

from densecolor.color import denormalize_ab

MAX_THRESHOLD = 150
NAME = "ab_auc"


@keras.saving.register_keras_serializable(package="densecolor")
class AbAuc(keras.metrics.Mean):
    """Mean over pictures of the area under the accuracy curve of a and b: `densecolor.metrics.ab_auc`.

    Pictures of weight 0, such as the padding of a last batch, do not count; several replicas add sums and counts. A
    model that predicts NaN scores 0 there.

    Input: `y_true`, `y_pred` (batch, H, W, 2), ab / 128; sample weights (batch, 1, 1).

    Zhang R. et al., "Colorful Image Colorization", ECCV 2016, section 3.1.

    Example:
        >>> metric = AbAuc()
        >>> metric.update_state(np.zeros((1, 4, 4, 2)), np.zeros((1, 4, 4, 2)))
        >>> float(metric.result())
        1.0
    """

    def __init__(self, name=NAME, dtype="float32"):
        super().__init__(name=name, dtype=dtype)

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch."""
        difference = denormalize_ab(ops.cast(y_true, "float32") - ops.cast(y_pred, "float32"))
        first = ops.ceil(ops.sqrt(ops.sum(ops.square(difference), axis=-1)))
        area = ops.where(first == 0, 1.0, (MAX_THRESHOLD + 0.5 - first) / MAX_THRESHOLD)
        area = ops.where(first <= MAX_THRESHOLD, area, 0.0)
        if sample_weight is not None:
            sample_weight = ops.reshape(sample_weight, (-1,))
        super().update_state(ops.mean(area, axis=(1, 2)), sample_weight)

    def get_config(self):
        """The constructor's arguments."""
        return {"name": self.name, "dtype": self.dtype}
