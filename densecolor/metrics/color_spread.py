"""How much the predicted colours vary, as a Keras metric.

Not imported from the package, whose NumPy functions do without Keras.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="densecolor")
class ColorSpread(keras.metrics.Metric):
    """The standard deviation of predicted colours over that of the true ones, over all pixels of all pictures.

    1 where predictions are as various as the truth; 0 where every pixel of every picture gets the same colour, which is
    what a collapsed generator does. Pictures of weight 0 do not count.

    Input: `y_true`, `y_pred` (batch, H, W, 2), ab / 128; sample weights (batch,) or (batch, 1, 1).

    Example:
        >>> metric = ColorSpread()
        >>> metric.update_state(np.array([[[[0.0, 0.2], [0.4, 0.2]]]]), np.array([[[[0.0, 0.0], [0.1, 0.0]]]]))
        >>> round(float(metric.result()), 4)
        0.25
    """

    def __init__(self, name="color_spread", dtype="float32"):
        super().__init__(name=name, dtype=dtype)
        self.weight = self.add_weight(name="weight", initializer="zeros")
        # Of a and b, of the squares of both; for true and for predicted colours.
        self.sums = self.add_weight(name="sums", shape=(2, 3), initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add a batch."""
        colors = ops.stack([ops.cast(y_true, self.dtype), ops.cast(y_pred, self.dtype)])
        weight = ops.ones_like(colors[0, :, 0, 0, 0])
        if sample_weight is not None:
            weight = ops.cast(ops.reshape(sample_weight, (-1,)), self.dtype)
        values = ops.concatenate([colors, ops.sum(ops.square(colors), axis=-1, keepdims=True)], axis=-1)
        means = ops.mean(values, axis=(2, 3))  # of each picture
        self.sums.assign_add(ops.sum(means * weight[None, :, None], axis=1))
        self.weight.assign_add(ops.sum(weight))

    def result(self):
        """The ratio; 0 before the first picture, and where the truth has one colour."""
        means = ops.divide_no_nan(ops.convert_to_tensor(self.sums), ops.convert_to_tensor(self.weight))
        variances = ops.maximum(means[:, 2] - ops.sum(ops.square(means[:, :2]), axis=-1), 0)
        return ops.sqrt(ops.divide_no_nan(variances[1], variances[0]))
