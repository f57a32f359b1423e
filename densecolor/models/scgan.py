"""The generator of Zhao et al., 2021: a U-Net with global features and a branch that predicts saliency."""

import keras

from densecolor.errors import DensecolorError
from densecolor.models.colorizer import Colorizer
from densecolor.models.gray_vgg import REDUCTION
from densecolor.models.gray_vgg import WIDTHS
from densecolor.models.gray_vgg import create_global_features
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import CropLike
from densecolor.models.layers import EnlargeNearest
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import dtype_scope
from densecolor.models.rgb_outputs import rgb_outputs
from densecolor.models.spectral import ReflectedSpectralConv2D
from densecolor.models.spectral import apply_spectral

FILTERS = (64, 128, 256, 512, 512, 512, 512, 512, 512)
GLOBAL_LEVEL = REDUCTION.bit_length() - 1  # of the encoder, where the global features join: a thirty-second
SALIENCY_LEVELS = (3, 2, 1)  # of the decoder, which saliency is read from, by how often they are halved
ATTENTION_WEIGHT = 0.5


@keras.saving.register_keras_serializable(package="densecolor")
class SCGANColorizer(Colorizer):
    """Encoder and decoder with skip connections that predict RGB, and a saliency map from the decoder's features.

    Zhao Y., Po L.-M., Cheung K.-W., Yu W.-Y., Abbas Ur Rehman Y., "SCGAN: Saliency Map-guided Colorization with
    Generative Adversarial Network", IEEE TCSVT 31(8), 2021, as in the authors' code: spectral normalisation in every
    convolution, reflected borders, BatchNormalization, LeakyReLU; 58,755,200 parameters, of which 17,077,952 are the
    global features' and 1,624,448 the saliency branch's, which only training needs.

    The saliency map has no loss of its own: it learns from the attention loss, that of `masked_rgb`, and so needs
    pictures packed with masks; where there are none, the whole picture counts as salient. The paper's masks are those
    of a detector of salient objects (PFAN). `densecolor.models.RECIPES` has the first of the two published stages; the
    second adds the perceptual and the adversarial losses.

    Where we differ, or the paper says too little:
        - The authors' gray is OpenCV's luma; here it is the sRGB gray of the lightness.
        - Sizes that are no multiple of 256 (as often as the encoder halves) are extended by their border and cut again.
        - Without `branch_weights` the global features start from random weights; the paper trains them on the classes
          of gray ImageNet pictures first (`create_gray_classifier`), and finds 0.65 dB less without. In both cases
          they are trained on with the rest.
        - The moving statistics of BatchNormalization follow faster, as in all our models.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `rgb`, (batch, H, W, 3), sRGB in [0, 1] but for errors, since its tanh also
        reaches down to -1; `ab`, (batch, H, W, 2), ab / 128 of it; and with saliency `mask`, (batch, H, W, 1) in
        [0, 1], and `masked_rgb`, their product.

    Args:
        filters: tuple of at least seven int, channels of the encoder at each size, from the full one down; the decoder
            has the same on its way back.
        global_features: bool, join the global features at a thirty-second of the size.
        global_widths: tuple of five int, channels of their network.
        branch_weights: None or the path of weights of that network. Part of building only: a saved model holds the
            weights themselves.
        saliency: bool, predict the saliency map.
        saliency_width: int, channels of that branch.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: there are too few `filters`, or as `create_global_features`.

    Example:
        >>> model = SCGANColorizer(filters=(4,) * 7, global_widths=(4,) * 5, saliency_width=4)
        >>> {name: tuple(value.shape) for name, value in model(np.zeros((1, 97, 131, 1))).items()}
        {'ab': (1, 97, 131, 2), 'mask': (1, 97, 131, 1), 'masked_rgb': (1, 97, 131, 3), 'rgb': (1, 97, 131, 3)}
    """

    def __init__(
        self,
        filters=FILTERS,
        global_features=True,
        global_widths=WIDTHS,
        branch_weights=None,
        saliency=True,
        saliency_width=128,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="scgan_colorizer",
    ):
        if len(filters) < GLOBAL_LEVEL + 2:
            raise DensecolorError(f"`filters` must be at least {GLOBAL_LEVEL + 2} numbers. Received: {filters}.")
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            gray = PadToMultiple(2 ** (len(filters) - 1), name="pad")(to_gray(lightness))
            features = None
            if global_features:
                features = create_global_features(global_widths, branch_weights, sync_batchnorm)(gray)
            encoded = _apply_encoder(gray, filters, features, sync_batchnorm)
            x, decoded = _apply_decoder(encoded, sync_batchnorm)
            rgb = ReflectedSpectralConv2D(3, 3, dtype="float32", name="output_conv")(x)
            rgb = keras.layers.Activation("tanh", dtype="float32", name="tanh")(rgb)
            mask = _apply_saliency(decoded, lightness, saliency_width, sync_batchnorm) if saliency else None
            outputs = rgb_outputs(rgb, lightness, mask)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.filters = tuple(filters)
        self.global_features = global_features
        self.global_widths = tuple(global_widths)
        self.saliency = saliency
        self.saliency_width = saliency_width
        self.sync_batchnorm = sync_batchnorm

    @property
    def output_weights(self):
        """The paper's weights of the losses."""
        return {"rgb": 1.0, "masked_rgb": ATTENTION_WEIGHT, "mask": 0.0}

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "filters": list(self.filters),
            "global_features": self.global_features,
            "global_widths": list(self.global_widths),
            "branch_weights": None,
            "saliency": self.saliency,
            "saliency_width": self.saliency_width,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _apply_encoder(x, filters, features, synchronized):
    """One convolution at each size, the first and the last without normalisation; all are kept for the decoder."""
    encoded = []
    for level, width in enumerate(filters):
        # The skip connection of this size is without the global features.
        if features is not None and level == GLOBAL_LEVEL + 1:
            x = keras.layers.Concatenate(name="fusion")([x, features])
        x = apply_spectral(
            x,
            width,
            f"encoder{level}",
            kernel_size=3 if level else 7,
            strides=2 if level else 1,
            normalized=0 < level < len(filters) - 1,
            synchronized=synchronized,
        )
        encoded.append(x)
    return encoded


def _apply_decoder(encoded, synchronized):
    """Enlarge, one convolution, join the skip connection; up to the full size.

    Returns:
        The last features, and a dict of those before each joining, by how often their size is halved.
    """
    *skips, x = encoded
    decoded = {}
    for level, skip in reversed(list(enumerate(skips))):
        x = decoded[level] = _apply_up(x, skip.shape[-1], f"decoder{level}", synchronized)
        x = keras.layers.Concatenate(name=f"decoder{level}_join")([x, skip])
    return x, decoded


def _apply_saliency(decoded, lightness, width, synchronized):
    """Features of three sizes brought to half the size, joined, and the map at the full size."""
    joined = []
    for level in SALIENCY_LEVELS:
        x = decoded[level]
        name = f"saliency{level}_"
        if level == 1:
            x = apply_spectral(x, width, name + "1", synchronized=synchronized)
        for index in range(1, level):
            x = _apply_up(x, width, f"{name}{index}", synchronized)
        joined.append(x)
    x = keras.layers.Concatenate(name="saliency_join")(joined)
    x = _apply_up(x, width, "saliency", synchronized)
    x = ReflectedSpectralConv2D(1, 3, dtype="float32", name="saliency_output_conv")(x)
    x = keras.layers.Activation("sigmoid", dtype="float32", name="saliency_sigmoid")(x)
    return CropLike(dtype="float32", name="mask")([x, lightness])


def _apply_up(x, filters, name, synchronized):
    x = EnlargeNearest(2, name=f"{name}_up")(x)
    return apply_spectral(x, filters, name, synchronized=synchronized)
