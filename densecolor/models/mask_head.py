"""The mask guide: a branch that predicts a spatial mask, beside any colorizer that has decoder features."""

import inspect

import keras

from densecolor.errors import DensecolorError
from densecolor.models.colorful import OUTPUT_STRIDE
from densecolor.models.colorful import ColorfulColorizer
from densecolor.models.colorizer import Colorizer
from densecolor.models.concrete_mask import TEMPERATURE
from densecolor.models.concrete_mask import ConcreteSample
from densecolor.models.concrete_mask import apply_mask_output
from densecolor.models.convolutions import require_positive
from densecolor.models.dense import DenseColorizer
from densecolor.models.dense_block import apply_convolution
from densecolor.models.iizuka import IizukaColorizer
from densecolor.models.koalarization import KoalarizationColorizer
from densecolor.models.layers import Enlarge
from densecolor.models.layers import apply_norm_relu
from densecolor.models.layers import dtype_scope
from densecolor.models.presets import PLAIN_PRESETS
from densecolor.models.residual import ResidualColorizer
from densecolor.models.unet import UNetColorizer

# The layer whose input the mask is read from, the last before colours, and how much smaller than the picture that is.
FEATURES = {
    ColorfulColorizer: ("conv8_4", lambda model: OUTPUT_STRIDE),
    DenseColorizer: ("output_conv", lambda model: model.stem_strides),
    IizukaColorizer: ("output_conv", lambda model: 2),
    KoalarizationColorizer: ("output_conv", lambda model: 2),
    ResidualColorizer: ("output_conv", lambda model: 1),
    UNetColorizer: ("output_conv", lambda model: 1),
}
# Arguments of a colorizer that are the mask-guided one's own.
OWN = ("num_classes", "sync_batchnorm", "working_size", "dtype", "name")
LOGIT_STDDEV = 1e-3  # at first, so that training starts from an even mask


@keras.saving.register_keras_serializable(package="densecolor")
class MaskGuidedColorizer(Colorizer):
    """A colorizer of the registry with one output more, a mask of where colour matters.

    After the auxiliary branches of Zhao et al. (SCGAN, IEEE TCSVT 31(8), 2021), which predict saliency, and of Zhang Z.
    et al. (SMCGAN, Bioengineering 9(12):721, 2022), which segment the foreground. The branch is ours: a 3x3
    convolution with BatchNormalization and ReLU, and one to a logit, on the features that the colours are made of.

    With `guide="supervised"` the mask learns from the pictures' own masks. With `guide="concrete"` it needs none: it is
    held to `mask_share` of the pictures, and samples of it (a binary concrete distribution) multiply the colours in
    `masked_ab`, whose loss against the true colours decides where the mask lies: where colour is. That fits pictures
    with a colourless background; on others it finds what is colourful. Nothing is random outside of training.

    Input: as the colorizer's: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: those of the colorizer; `mask`, float32 (batch, H, W, 1) in [0, 1], probabilities; and `masked_ab`, float32
        (batch, H, W, 2), `ab` times the mask (or the samples, or the likelier outside of training).

    Args:
        colorizer: str, a name in `densecolor.models.list_models()` whose model has decoder features: colorful, dense,
            iizuka, koalarization, residual, unet and their smaller presets.
        colorizer_options: dict of that model's arguments, or None; without those that are listed here.
        num_classes: int, 0 for no `label` output; of no effect where the colorizer has none. Without classes `joint`
            of a dense colorizer is True unless its options say otherwise, since nothing else would train its branch.
        guide: "supervised" or "concrete".
        mask_width: int, channels of the branch.
        mask_weight: float, weight of the loss of `mask` in `output_weights`.
        masked_weight: float, the same of `masked_ab`. The default is SCGAN's of its attention loss.
        mask_share: float in (0, 1), of "concrete": the share of the pictures that is foreground.
        share_weight, smoothness: float, of "concrete": weights of `MaskBudget`.
        temperature: float > 0, of the samples in training.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: the colorizer is unknown, lacks an option or has no decoder features; or a value is not among
            its choices or out of range.

    Example:
        >>> model = MaskGuidedColorizer("unet", {"filters": [4, 8]}, mask_width=4)
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'mask': (1, 97, 131, 1), 'masked_ab': (1, 97, 131, 2)}
    """

    def __init__(
        self,
        colorizer="dense",
        colorizer_options=None,
        num_classes=205,
        guide="supervised",
        mask_width=32,
        mask_weight=0.1,
        masked_weight=0.5,
        mask_share=0.4,
        share_weight=0.1,
        smoothness=0.01,
        temperature=TEMPERATURE,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="mask_guided_colorizer",
    ):
        require_positive(mask_width=mask_width)
        colorizer_options = dict(colorizer_options or {})
        passed_on = {"num_classes": num_classes, "sync_batchnorm": sync_batchnorm}
        base = _create(colorizer, colorizer_options, dtype, **passed_on)
        inputs, outputs = dict(base.input), dict(base.output)
        with dtype_scope(dtype) as policy:
            lightness = inputs.pop("lightness")
            logits = _apply_branch(base, mask_width, sync_batchnorm)
            outputs["mask"], logits = apply_mask_output(logits, lightness, guide, mask_share, share_weight, smoothness)
            shown = outputs["mask"]
            if guide == "concrete":
                shown = ConcreteSample(temperature, dtype="float32", name="mask_sample")(logits)
            multiply = keras.layers.Multiply(dtype="float32", name="masked_ab")
            outputs["masked_ab"] = multiply([outputs["ab"], shown])
        super().__init__(lightness, outputs, policy, working_size, name, inputs)
        self.colorizer = colorizer
        # A saved model holds the weights of a branch themselves.
        self.colorizer_options = {key: colorizer_options[key] for key in colorizer_options if key != "branch_weights"}
        self.num_classes = num_classes
        self.guide = guide
        self.mask_width = mask_width
        self.mask_weight = mask_weight
        self.masked_weight = masked_weight
        self.mask_share = mask_share
        self.share_weight = share_weight
        self.smoothness = smoothness
        self.temperature = temperature
        self.sync_batchnorm = sync_batchnorm

    @property
    def output_weights(self):
        """`mask_weight` and `masked_weight`; the colorizer's own losses keep theirs."""
        return {"mask": self.mask_weight, "masked_ab": self.masked_weight}

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "colorizer": self.colorizer,
            "colorizer_options": self.colorizer_options,
            "num_classes": self.num_classes,
            "guide": self.guide,
            "mask_width": self.mask_width,
            "mask_weight": self.mask_weight,
            "masked_weight": self.masked_weight,
            "mask_share": self.mask_share,
            "share_weight": self.share_weight,
            "smoothness": self.smoothness,
            "temperature": self.temperature,
            "sync_batchnorm": self.sync_batchnorm,
        }


def with_mask_head(colorizer, **options):
    """Give a colorizer, trained or not, a branch that predicts a mask.

    Args:
        colorizer: a colorizer of `densecolor.models` that has decoder features.
        **options: of `MaskGuidedColorizer`.

    Returns:
        A `MaskGuidedColorizer` that gives the same colours: it has the colorizer's weights, copied, and an untrained
        branch.

    Raises:
        DensecolorError: `colorizer` has no decoder features, or as `MaskGuidedColorizer`.

    Example:
        >>> guided = with_mask_head(densecolor.load_model("runs/unet"), guide="concrete", mask_share=0.3)
        >>> densecolor.save_model(guided, "guided.keras")
    """
    if type(colorizer) not in FEATURES:
        raise DensecolorError(_no_features(type(colorizer).__name__))
    config = colorizer.get_config()
    name = next(name for name, (model_class, _) in PLAIN_PRESETS.items() if model_class is type(colorizer))
    own = {key: config[key] for key in ("num_classes", "sync_batchnorm", "working_size", "dtype") if key in config}
    inner = {key: value for key, value in config.items() if key not in OWN}
    guided = MaskGuidedColorizer(name, inner, **own | options)
    for layer in colorizer.layers:
        if layer.weights:
            guided.get_layer(layer.name).set_weights(layer.get_weights())
    return guided


def colorizer_class(name):
    """The class of a colorizer that may be guided.

    Raises:
        DensecolorError: no model has this name, or it has no decoder features.
    """
    model_class, _ = PLAIN_PRESETS.get(name, (None, None))
    if model_class not in FEATURES:
        raise DensecolorError(_no_features(name))
    return model_class


def colorizer_arguments(name, options, num_classes=0, sync_batchnorm=False):
    """All arguments of the colorizer inside: its preset's, the given ones, and those that are passed on to it.

    Raises:
        DensecolorError: as `colorizer_class`, or it has no such option.
    """
    known = inspect.signature(colorizer_class(name)).parameters
    for key in options:
        if key not in known or key in OWN:
            raise DensecolorError(
                f"`colorizer_options` has {key!r}, which is no option of {name!r} or one of the mask-guided model "
                f"itself. Choose from {', '.join(option for option in known if option not in OWN)}."
            )
    passed_on = {"num_classes": num_classes, "sync_batchnorm": sync_batchnorm}
    arguments = PLAIN_PRESETS[name][1] | {key: value for key, value in passed_on.items() if key in known}
    if "joint" in known and not num_classes:
        arguments["joint"] = True
    return arguments | options


def _create(name, options, dtype, **passed_on):
    return colorizer_class(name)(**colorizer_arguments(name, options, **passed_on), dtype=dtype)


def _no_features(name):
    able = ", ".join(name for name, (model_class, _) in PLAIN_PRESETS.items() if model_class in FEATURES)
    return (
        "A mask branch needs a colorizer that has decoder features and no mask of its own, which "
        f"{name!r} is not. Choose from {able}."
    )


def _apply_branch(base, width, synchronized):
    """Logits of being foreground, float32, at the size of the padded picture."""
    layer, factor = FEATURES[type(base)]
    x = apply_convolution(base.get_layer(layer).input, width, 3, "mask")
    x = apply_norm_relu(x, "mask", synchronized)
    small = keras.initializers.RandomNormal(stddev=LOGIT_STDDEV)
    x = keras.layers.Conv2D(1, 3, padding="same", kernel_initializer=small, dtype="float32", name="mask_output_conv")(x)
    factor = factor(base)
    return Enlarge(factor, dtype="float32", name="mask_enlarge")(x) if factor > 1 else x
