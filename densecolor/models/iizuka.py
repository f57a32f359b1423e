"""The colorizer of Iizuka et al., 2016: local features and a global vector from the same low-level convolutions."""

import keras

from densecolor.color import AB_SCALE
from densecolor.errors import require_choice
from densecolor.models.colorizer import Colorizer
from densecolor.models.convolutions import apply_color_decoder
from densecolor.models.convolutions import convolution_layers
from densecolor.models.convolutions import require_positive
from densecolor.models.convolutions import scaled
from densecolor.models.fusion import apply_fusion
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import ResizeTo
from densecolor.models.layers import apply_label_output
from densecolor.models.layers import apply_layers
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import norm_relu_layers
from densecolor.models.upsampling import UPSAMPLINGS

# Channels and strides of the 3x3 convolutions, units of the fully connected layers.
LOW_LEVEL = ((64, 2), (128, 1), (128, 2), (256, 1), (256, 2), (512, 1))
GLOBAL = ((512, 2), (512, 1), (512, 2), (512, 1))
GLOBAL_UNITS = (1024, 512, 256)
MID_LEVEL = ((512, 1), (256, 1))
FUSED = 256
CLASS_UNITS = 256


@keras.saving.register_keras_serializable(package="densecolor")
class IizukaColorizer(Colorizer):
    """Two streams with shared low-level weights: places at any size, and the whole picture at 224 x 224.

    Iizuka S., Simo-Serra E., Ishikawa H., "Let there be Color! Joint End-to-end Learning of Global and Local Image
    Priors for Automatic Image Colorization with Simultaneous Classification", ACM TOG 35(4), SIGGRAPH 2016.
    42,353,839 parameters with 205 classes, and 12,992 in the normalisations.

    Where we differ, or the paper says too little:
        - The paper compares colours at half the size, before the last enlargement. We compare `ab` at full size: with
          nearest-neighbour enlargement every pixel of a 2 x 2 square gets the same colour, so this differs from
          comparing with the squares' mean colours by a constant, and the gradients are the same.
        - The paper's colour loss is of values in [0, 1] that stand for [-`ab_scale`, `ab_scale`], ours of ab / 128; the
          weight 1/300 of the classification loss is to be multiplied by (2 * ab_scale / 128)^2 for that, as
          `densecolor.models.RECIPES` does. We take the paper's norm as a mean over pixels and channels.
        - Normalisation stands before every ReLU, in the fully connected layers of the global stream too; not in the
          classification stream.
        - What a and b are divided by is not said; the authors' released program takes 100.
        - The mean of the training data is not subtracted from the lightness, which is centred as in all our models.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128, in [-ab_scale / 128, ab_scale / 128]; and, with
        classes, `label`, (batch, num_classes) probabilities.

    Args:
        num_classes: int, 0 for no `label` output. The default is that of Places.
        global_size: int, side at which the global stream sees the picture, whatever its proportions.
        upsampling: "nearest" as in the paper, "bilinear", "transposed" or "subpixel".
        ab_scale: float, the largest a and b, which the output's sigmoid stands for.
        batchnorm: bool, normalise.
        width: float, factor of all channels and units.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `upsampling` is not among its choices, or a number is not positive.

    Example:
        >>> IizukaColorizer(num_classes=3, global_size=32, width=0.1)(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        num_classes=205,
        global_size=224,
        upsampling="nearest",
        ab_scale=110.0,
        batchnorm=True,
        width=1.0,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="iizuka_colorizer",
    ):
        require_choice("upsampling", upsampling, UPSAMPLINGS)
        require_positive(global_size=global_size, ab_scale=ab_scale, width=width)
        # The authors used Torch, which pads equally on all sides.
        options = {"width": width, "normalized": batchnorm, "synchronized": sync_batchnorm, "centered": True}
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            low_level = convolution_layers(LOW_LEVEL, "low", **options)
            vector, class_features = _apply_global_stream(lightness, low_level, global_size, options)
            x = apply_layers(PadToMultiple(8, name="pad")(lightness), low_level)
            x = apply_layers(x, convolution_layers(MID_LEVEL, "mid", **options))
            x = apply_fusion(x, vector, scaled(FUSED, width), normalized=batchnorm, synchronized=sync_batchnorm)
            ab = apply_color_decoder(x, "sigmoid", upsampling, **options)
            scale = ab_scale / AB_SCALE
            ab = keras.layers.Rescaling(2 * scale, -scale, dtype="float32", name="scale")(ab)
            outputs = {"ab": CropLike(dtype="float32", name="ab")([ab, lightness])}
            if num_classes:
                hidden = keras.layers.Dense(scaled(CLASS_UNITS, width), activation="relu", name="class_fc")
                outputs["label"] = apply_label_output(hidden(class_features), num_classes)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.num_classes = num_classes
        self.global_size = global_size
        self.upsampling = upsampling
        self.ab_scale = ab_scale
        self.batchnorm = batchnorm
        self.width = width
        self.sync_batchnorm = sync_batchnorm

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "global_size": self.global_size,
            "upsampling": self.upsampling,
            "ab_scale": self.ab_scale,
            "batchnorm": self.batchnorm,
            "width": self.width,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_global_stream(lightness, low_level, size, options):
    """The whole picture as a vector, and the layer before, from which it is classified."""
    x = ResizeTo(size, dtype="float32", name="global_resize")(lightness)
    x = apply_layers(x, low_level)
    x = apply_layers(x, convolution_layers(GLOBAL, "global", **options))
    x = keras.layers.Flatten(name="global_flat")(x)
    vectors = []
    for index, units in enumerate(GLOBAL_UNITS, start=1):
        name = f"global_fc{index}"
        x = keras.layers.Dense(scaled(units, options["width"]), kernel_initializer="he_normal", name=name)(x)
        after = [keras.layers.ReLU(name=f"{name}_relu")]
        if options["normalized"]:
            after = norm_relu_layers(name, options["synchronized"])
        x = apply_layers(x, after)
        vectors.append(x)
    return vectors[-1], vectors[-2]
