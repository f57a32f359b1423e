"""The residual-network colorizer of Qin et al., 2017, as far as it can be reconstructed."""

import keras

from densecolor.color import AB_SCALE
from densecolor.errors import require_choice
from densecolor.models.colorizer import Colorizer
from densecolor.models.convolutions import require_positive
from densecolor.models.dense_block import apply_convolution
from densecolor.models.fusion import apply_fusion
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import apply_label_output
from densecolor.models.layers import apply_norm_relu
from densecolor.models.layers import apply_output_convolution
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import norm_relu_layers
from densecolor.models.upsampling import UPSAMPLINGS
from densecolor.models.upsampling import apply_upsampling

OWN_SCALE = 110.0  # a and b are divided by it


@keras.saving.register_keras_serializable(package="densecolor")
class ResidualColorizer(Colorizer):
    """Residual blocks at three sizes, a class branch that guides them, and a decoder with skip connections.

    Qin P., Cheng Z., Cui Y. et al., "Research on Image Colorization Algorithm Based on Residual Neural Network", CCCV
    2017. The network that Zhang N. et al. (2019, `DenseColorizer`) compare theirs with.

    Only the abstract and the beginning of the paper could be read: a deep residual network for details, guided by
    classification, trained on Places and ImageNet, whose depth decides how good it is. **The layers are our
    reconstruction**: a stem; `blocks` basic residual blocks (He et al., CVPR 2016) at each of three sizes; a class
    branch of four more blocks at an eighth and a sixteenth; fusion of its vector as in Iizuka et al.; one block at each
    size on the way back. A shortcut is a 1x1 convolution where the channels change, and otherwise has no parameters.
    Published depths are unknown: 2, 3 and 5 blocks have 22.9, 24.5 and 27.6 M parameters (205 classes).

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128, in [-110 / 128, 110 / 128]; and, with classes,
        `label`, (batch, num_classes) probabilities.

    Args:
        num_classes: int, 0 for no `label` output. The default is that of Places.
        blocks: int, residual blocks at each of the three sizes.
        filters: int, channels at the full size; a half has twice, a quarter four times, the class branch eight times as
            many, and the class vector four times.
        upsampling: "bilinear" (our choice), "nearest", "transposed" or "subpixel".
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `upsampling` is not among its choices, or a number is not positive.

    Example:
        >>> ResidualColorizer(num_classes=3, blocks=1, filters=4)(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        num_classes=205,
        blocks=3,
        filters=64,
        upsampling="bilinear",
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="residual_colorizer",
    ):
        require_positive(blocks=blocks, filters=filters)
        require_choice("upsampling", upsampling, UPSAMPLINGS)
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            x = PadToMultiple(4, name="pad")(lightness)
            x = apply_norm_relu(apply_convolution(x, filters, 7, "stem"), "stem", sync_batchnorm)
            full = _apply_blocks(x, blocks, filters, "full", sync_batchnorm)
            half = _apply_blocks(full, blocks, 2 * filters, "half", sync_batchnorm, strides=2)
            quarter = _apply_blocks(half, blocks, 4 * filters, "quarter", sync_batchnorm, strides=2)
            vector = _apply_class_stream(quarter, filters, sync_batchnorm)
            x = apply_fusion(quarter, vector, 4 * filters, use_bias=False, normalized=True, synchronized=sync_batchnorm)
            x = _apply_blocks(x, 1, 4 * filters, "decoder_quarter", sync_batchnorm)
            for name, skip in (("half", half), ("full", full)):
                x = apply_upsampling(x, upsampling, f"up_{name}")
                x = keras.layers.Concatenate(name=f"join_{name}")([x, skip])
                x = _apply_blocks(x, 1, skip.shape[-1], f"decoder_{name}", sync_batchnorm)
            ab = keras.layers.Activation("tanh", dtype="float32", name="tanh")(apply_output_convolution(x))
            ab = keras.layers.Rescaling(OWN_SCALE / AB_SCALE, dtype="float32", name="scale")(ab)
            outputs = {"ab": CropLike(dtype="float32", name="ab")([ab, lightness])}
            if num_classes:
                outputs["label"] = apply_label_output(vector, num_classes)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.num_classes = num_classes
        self.blocks = blocks
        self.filters = filters
        self.upsampling = upsampling
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "blocks": self.blocks,
            "filters": self.filters,
            "upsampling": self.upsampling,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_class_stream(quarter, filters, synchronized):
    """Two blocks at an eighth, two at a sixteenth, their mean, and the vector that guides the colours."""
    x = _apply_blocks(quarter, 2, 8 * filters, "class_eighth", synchronized, strides=2)
    x = _apply_blocks(x, 2, 8 * filters, "class_sixteenth", synchronized, strides=2)
    mean = keras.layers.GlobalAveragePooling2D(name="class_mean")(x)
    return keras.layers.Dense(4 * filters, activation="relu", name="guide")(mean)


def _apply_blocks(x, count, filters, name, synchronized, strides=1):
    """Basic residual blocks, the first of them with the strides: [3x3, BN, ReLU, 3x3, BN] + shortcut, ReLU."""
    for index in range(1, count + 1):
        part = f"{name}{index}"
        new = apply_convolution(x, filters, 3, f"{part}_a", strides, centered=strides > 1)
        new = apply_convolution(apply_norm_relu(new, f"{part}_a", synchronized), filters, 3, f"{part}_b")
        norm, relu = norm_relu_layers(part, synchronized)
        x = relu(norm(new) + _shortcut(x, filters, part, synchronized, strides))
        strides = 1
    return x


def _shortcut(x, filters, name, synchronized, strides):
    if strides > 1:
        # Every second pixel. A 1x1 convolution with strides would do it too, but the gradient of one crashes
        # TensorFlow 2.21 on CPUs (oneDNN).
        x = keras.layers.MaxPooling2D(1, strides, name=f"{name}_subsample")(x)
    if x.shape[-1] == filters:
        return x
    norm, _ = norm_relu_layers(f"{name}_shortcut", synchronized)
    return norm(apply_convolution(x, filters, 1, f"{name}_shortcut"))
