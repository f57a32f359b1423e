"""The losses of ab itself and, where a network has classes, of the label."""

import keras
from keras import ops

PROBABILITY_FLOOR = 1e-10


@keras.saving.register_keras_serializable(package="densecolor")
class ColorMSE(keras.losses.Loss):
    """Mean squared error of ab over height, width, both channels and the batch.

    Zhang N. et al., "Image Colorization Algorithm based on Dense Neural Network", 2019, section 3.2. The equation
    itself is not legible in the copy we have; we also divide by the two channels.

    Input: `y_true`, `y_pred` (batch, H, W, 2), ab / 128; sample weights (batch, 1, 1).

    Example:
        >>> float(ColorMSE()(np.zeros((1, 2, 2, 2)), np.full((1, 2, 2, 2), 0.5)))
        0.25
    """

    def __init__(self, name="color_mse", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Squared error of each pixel, (batch, H, W)."""
        return ops.mean(ops.square(y_true - y_pred), axis=-1)


@keras.saving.register_keras_serializable(package="densecolor")
class FlooredCrossentropy(keras.losses.Loss):
    """Cross-entropy of class indices, with the predicted probabilities floored at 1e-10 as in the paper.

    Keras' own floor is 1e-7. An unlabelled picture has label -1 and must have sample weight 0; its label is
    read as class 0.

    Input: `y_true` (batch,) int; `y_pred` (batch, classes) probabilities; sample weights (batch,).

    Example:
        >>> round(float(FlooredCrossentropy()(np.array([1]), np.array([[0.5, 0.5]]))), 4)
        0.6931
    """

    def __init__(self, name="floored_crossentropy", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Cross-entropy of each picture, (batch,)."""
        index = ops.cast(ops.maximum(y_true, 0), "int32")
        chosen = ops.take_along_axis(y_pred, ops.reshape(index, (-1, 1)), axis=-1)
        return -ops.log(ops.maximum(chosen[:, 0], PROBABILITY_FLOOR))
