"""The losses of ab itself and, where a network has classes, of the label."""

import keras
from keras import ops

from densecolor.errors import DensecolorError

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
class ColorMAE(keras.losses.Loss):
    """Mean absolute error of ab over height, width, both channels and the batch.

    Isola et al., "Image-to-Image Translation with Conditional Adversarial Networks", CVPR 2017, which finds that it
    blurs less than the squared error.

    Input: as `ColorMSE`.

    Example:
        >>> float(ColorMAE()(np.zeros((1, 2, 2, 2)), np.full((1, 2, 2, 2), 0.5)))
        0.5
    """

    def __init__(self, name="color_mae", reduction="sum_over_batch_size", dtype="float32"):
        super().__init__(name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true, y_pred):
        """Absolute error of each pixel, (batch, H, W)."""
        return ops.mean(ops.abs(y_true - y_pred), axis=-1)


COLOR_LOSSES = {"mae": ColorMAE, "mse": ColorMSE}


@keras.saving.register_keras_serializable(package="densecolor")
class FlooredCrossentropy(keras.losses.Loss):
    """Cross-entropy of class indices, with the predicted probabilities floored at 1e-10 as in the paper.

    Keras' own floor is 1e-7. An unlabelled picture has label -1 and must have sample weight 0; its label is
    read as class 0.

    With label smoothing s, K classes and class weights w, the loss of a picture of class y is
    -w[y] * ((1 - s) log p[y] + s / K * sum over k of log p[k]).

    Input: `y_true` (batch,) int; `y_pred` (batch, classes) probabilities; sample weights (batch,).

    Args:
        label_smoothing: float in [0, 1), the share of the target that is spread evenly over all classes.
        class_weights: None, or a list with a weight for each class.
        name, reduction, dtype: as in `keras.losses.Loss`.

    Raises:
        DensecolorError: a value is out of range, or there are not as many weights as classes.

    Example:
        >>> round(float(FlooredCrossentropy()(np.array([1]), np.array([[0.5, 0.5]]))), 4)
        0.6931
    """

    def __init__(
        self,
        label_smoothing=0.0,
        class_weights=None,
        name="floored_crossentropy",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        if not 0 <= label_smoothing < 1:
            raise DensecolorError(
                f"`label_smoothing` must be at least 0 and below 1. Received: {label_smoothing}. 0.1 is usual."
            )
        if class_weights is not None and not all(0 <= weight < float("inf") for weight in class_weights):
            raise DensecolorError(f"`class_weights` must be finite and not negative. Received: {class_weights}.")
        self.label_smoothing = label_smoothing
        self.class_weights = None if class_weights is None else [float(weight) for weight in class_weights]

    def call(self, y_true, y_pred):
        """Cross-entropy of each picture, (batch,)."""
        index = ops.reshape(ops.cast(ops.maximum(y_true, 0), "int32"), (-1, 1))
        chosen = ops.take_along_axis(y_pred, index, axis=-1)[:, 0]
        loss = -ops.log(ops.maximum(chosen, PROBABILITY_FLOOR))
        if self.label_smoothing:
            spread = -ops.mean(ops.log(ops.maximum(y_pred, PROBABILITY_FLOOR)), axis=-1)
            loss = (1 - self.label_smoothing) * loss + self.label_smoothing * spread
        if self.class_weights is None:
            return loss
        if len(self.class_weights) != y_pred.shape[-1]:
            raise DensecolorError(
                f"`class_weights` must have one weight a class, {y_pred.shape[-1]}. "
                f"Received: {len(self.class_weights)}."
            )
        return loss * ops.take(ops.convert_to_tensor(self.class_weights, "float32"), index[:, 0])

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "label_smoothing": self.label_smoothing,
            "class_weights": self.class_weights,
        }
