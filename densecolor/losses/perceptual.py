"""Losses of RGB: absolute error, and how different VGG-16 sees two pictures."""

import keras
import numpy as np
from keras import ops

from densecolor.color import denormalize_ab
from densecolor.color import denormalize_lightness
from densecolor.color.ops import lab_to_srgb
from densecolor.errors import DensecolorError
from densecolor.errors import failed_downloads_named
from densecolor.errors import load_weights
from densecolor.errors import require_choice

SPACES = ("rgb", "lab")
PREPROCESSINGS = ("imagenet", "none")
BLOCKS = (2, 2, 3)  # VGG-16 up to conv3_3
IMAGENET_MEAN = (103.939, 116.779, 123.68)  # blue, green, red, of Keras' weights
FULL_SCALE = 255.0


@keras.saving.register_keras_serializable(package="densecolor")
class PerceptualLoss(keras.losses.Loss):
    """Mean absolute difference of what VGG-16's conv3_3 has, before its ReLU, for the true and the predicted picture.

    Johnson et al., "Perceptual Losses for Real-Time Style Transfer and Super-Resolution", ECCV 2016, as Zhao et al.,
    "SCGAN", IEEE TCSVT 31(8), 2021, have it. With features f of h x w x 256: mean |f(t) - f(c)| over all three.

    The authors' code gives pictures in [0, 1] to PyTorch's VGG-16 as they are (`preprocessing="none"`). Keras' weights
    were trained on blue, green and red of 0 to 255 less their means, and that is the default; the features are then
    divided by 255, so that like the authors' they are in the units of pictures in [0, 1]. The two differ in scale by no
    known factor, since the weights differ.

    The network's kernels are constants of the loss: never trained, never saved. A loss that came from a saved model
    must therefore be made anew before it is used.

    Input: `y_true`, `y_pred` (batch, H, W, 3), H and W at least 4: sRGB, clipped to [0, 1]; or with `space="lab"`
    lightness L / 50 - 1 and ab / 128, which become sRGB in the graph. Sample weights (batch, 1, 1).

    Args:
        weights: "imagenet" (Keras downloads them) or the path of a weights file of keras.applications' VGG16 without
            its top.
        space: "rgb" or "lab".
        preprocessing: "imagenet" or "none".

    Raises:
        DensecolorError: there are no `weights`, they do not load, or an option is unknown.

    Example:
        >>> loss = PerceptualLoss("imagenet")
        >>> model.compile("adam", default_losses(model.output_names, perceptual=loss))
    """

    def __init__(
        self,
        weights,
        space="rgb",
        preprocessing="imagenet",
        name="perceptual_loss",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require_choice("space", space, SPACES)
        require_choice("preprocessing", preprocessing, PREPROCESSINGS)
        self.space = space
        self.preprocessing = preprocessing
        self._kernels = _read_kernels(weights)

    def call(self, y_true, y_pred):
        """Mean difference of each place of the features, (batch, H // 4, W // 4)."""
        return ops.mean(ops.abs(self.features(y_true) - self.features(y_pred)), axis=-1)

    def features(self, pictures):
        """What VGG-16 has at conv3_3 before its ReLU.

        Args:
            pictures: as the loss takes them.

        Returns:
            float32 (batch, H // 4, W // 4, 256).

        Raises:
            DensecolorError: the loss came from a saved model, which has no weights of VGG-16.
        """
        if self._kernels is None:
            raise DensecolorError(
                "A saved model does not hold the weights of VGG-16. Compile it again, with a new "
                "PerceptualLoss(weights=...)."
            )
        x = ops.cast(pictures, "float32")
        x = lab_to_srgb(_to_lab(x)) if self.space == "lab" else ops.clip(x, 0, 1)
        is_scaled = self.preprocessing == "imagenet"
        if is_scaled:
            x = ops.subtract(FULL_SCALE * ops.flip(x, axis=-1), np.float32(IMAGENET_MEAN))
        x = _apply_vgg(x, self._kernels)
        return x / FULL_SCALE if is_scaled else x

    def get_config(self):
        """Every constructor argument but the weights, as plain JSON."""
        return {**super().get_config(), "space": self.space, "preprocessing": self.preprocessing}

    @classmethod
    def from_config(cls, config):
        """The loss without its weights: a file must not open another one, nor cause a download."""
        loss = cls.__new__(cls)
        keras.losses.Loss.__init__(
            loss, name=config["name"], reduction=config["reduction"], dtype=config.get("dtype", "float32")
        )
        loss.space, loss.preprocessing, loss._kernels = config["space"], config["preprocessing"], None
        return loss


@keras.saving.register_keras_serializable(package="densecolor")
class ReconstructionLoss(keras.losses.Loss):
    """Mean absolute error of RGB, and where it is wanted the perceptual loss of the same pictures.

    Zhao et al., "SCGAN", IEEE TCSVT 31(8), 2021: mean |c - t| + 5 * perceptual in the second stage of training, without
    the second term in the first.

    Input: `y_true`, `y_pred` (batch, H, W, 3), sRGB in [0, 1]; sample weights (batch, 1, 1).

    Args:
        perceptual: `PerceptualLoss`, or None.
        perceptual_weight: float.

    Example:
        >>> round(float(ReconstructionLoss()(np.zeros((1, 4, 4, 3)), np.full((1, 4, 4, 3), 0.25))), 4)
        0.25
    """

    def __init__(
        self,
        perceptual=None,
        perceptual_weight=5.0,
        name="reconstruction_loss",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        self.perceptual = perceptual
        self.perceptual_weight = perceptual_weight

    def call(self, y_true, y_pred):
        """Loss of each picture, (batch, 1, 1)."""
        loss = ops.mean(ops.abs(y_true - y_pred), axis=(1, 2, 3))
        if self.perceptual is not None:
            loss = loss + self.perceptual_weight * ops.mean(self.perceptual.call(y_true, y_pred), axis=(1, 2))
        return loss[:, None, None]

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        perceptual = self.perceptual
        return {
            **super().get_config(),
            "perceptual": None if perceptual is None else keras.saving.serialize_keras_object(perceptual),
            "perceptual_weight": self.perceptual_weight,
        }

    @classmethod
    def from_config(cls, config):
        """As `get_config` gave it."""
        perceptual = config["perceptual"]
        if perceptual is not None:
            perceptual = PerceptualLoss.from_config(perceptual["config"])
        return cls(**config | {"perceptual": perceptual})


def _to_lab(pictures):
    return ops.concatenate([denormalize_lightness(pictures[..., :1]), denormalize_ab(pictures[..., 1:])], axis=-1)


def _apply_vgg(x, kernels):
    """Convolutions with ReLU, but for the last one's, and pooling between the blocks."""
    remaining = list(kernels)
    for number, count in enumerate(BLOCKS, start=1):
        if number > 1:
            x = ops.max_pool(x, 2, 2, data_format="channels_last")
        for _ in range(count):
            kernel, bias = remaining.pop(0)
            x = ops.conv(x, kernel, padding="same", data_format="channels_last") + bias
            x = ops.relu(x) if remaining else x
    return x


def _read_kernels(weights):
    """Pairs (kernel, bias) of VGG-16's first seven convolutions, as NumPy arrays."""
    if weights is None:
        raise DensecolorError(
            "The perceptual loss needs trained weights of VGG-16: random ones measure nothing. Give weights="
            '"imagenet" (Keras downloads them) or the path of a file that `save_weights` wrote for '
            "keras.applications.VGG16(include_top=False)."
        )
    downloaded = "imagenet" if weights == "imagenet" else None
    with failed_downloads_named("VGG-16"):
        network = keras.applications.VGG16(include_top=False, weights=downloaded, input_shape=(32, 32, 3))
    if not downloaded:
        load_weights(network, weights, "VGG-16", "keras.applications.VGG16(include_top=False)")
    names = [
        f"block{block}_conv{index}" for block, count in enumerate(BLOCKS, start=1) for index in range(1, count + 1)
    ]
    return [tuple(network.get_layer(name).get_weights()) for name in names]
