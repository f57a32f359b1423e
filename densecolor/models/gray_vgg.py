"""The global features of SCGAN: a network like VGG-16 that looks at gray pictures."""

import keras

from densecolor.color import denormalize_lightness
from densecolor.color.ops import lightness_to_gray
from densecolor.errors import DensecolorError
from densecolor.errors import load_weights
from densecolor.models.layers import apply_label_output
from densecolor.models.layers import dtype_scope
from densecolor.models.spectral import apply_spectral

CONVOLUTIONS = (2, 2, 3, 3, 4)  # at each size; the last one of each has strides of 2
WIDTHS = (64, 128, 256, 512, 512)
REDUCTION = 2 ** len(CONVOLUTIONS)


def create_global_features(widths=WIDTHS, weights=None, synchronized=False):
    """The network from gray pictures to features at a thirty-second of the size.

    As the code of Zhao et al. (2021) has it: the layers of VGG-16 with spectral and batch normalisation, LeakyReLU,
    one input channel, strides in place of pooling, and one convolution more at the end. 17,077,952 parameters.

    Args:
        widths: five int, channels at each size.
        weights: None (random) or the path of a file that `save_weights` wrote for this network (see
            `create_gray_classifier`). It has no published weights that Keras could download.
        synchronized: BatchNormalization over all replicas.

    Returns:
        `keras.Model`, name "global_features": (batch, H, W, 1) in [0, 1] to (batch, H / 32, W / 32, widths[-1]); H and
        W are multiples of 32 of at least 64.

    Raises:
        DensecolorError: `widths` are not five, or `weights` is not a file of this network.
    """
    if len(widths) != len(CONVOLUTIONS):
        raise DensecolorError(f"`global_widths` must be {len(CONVOLUTIONS)} numbers. Received: {widths}.")
    gray = x = keras.Input((None, None, 1), name="gray")
    for level, (count, width) in enumerate(zip(CONVOLUTIONS, widths, strict=True), start=1):
        for index in range(1, count + 1):
            x = apply_spectral(
                x,
                width,
                f"global{level}_{index}",
                strides=2 if index == count else 1,
                normalized=(level, index) != (1, 1),
                synchronized=synchronized,
            )
    network = keras.Model(gray, x, name="global_features")
    if weights is not None:
        origin = "the layer 'global_features' of densecolor.models.create_gray_classifier"
        load_weights(network, weights, "the global features", origin)
    return network


def create_gray_classifier(num_classes, widths=WIDTHS, weights=None, sync_batchnorm=False, dtype=None):
    """A classifier of gray pictures, to prepare the global features as the paper does, on the pictures' classes.

    The head is our choice, the mean of the features and one linear layer; only the features are used further.

    Args:
        num_classes: int, at least 2.
        widths, weights: as in `create_global_features`.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        dtype: dtype policy or its name, None for the global one.

    Returns:
        `keras.Model`: `lightness` (batch, H, W, 1) in [-1, 1], H and W multiples of 32 of at least 64, to a dict with
        `label`, (batch, num_classes) probabilities.

    Raises:
        DensecolorError: as `create_global_features`, or there is nothing to tell apart.

    Example:
        >>> classifier = create_gray_classifier(1000)
        >>> classifier.compile("sgd", densecolor.losses.default_losses(["label"]))
        >>> classifier.fit(densecolor.dataset.load("packed", targets=("label",)), epochs=150)
        >>> classifier.get_layer("global_features").save_weights("gray.weights.h5")
        >>> model = densecolor.models.create("scgan", branch_weights="gray.weights.h5")
    """
    if num_classes < 2:
        raise DensecolorError(f"`num_classes` must be at least 2. Received: {num_classes}.")
    with dtype_scope(dtype):
        lightness = keras.Input((None, None, 1), name="lightness")
        features = create_global_features(widths, weights, sync_batchnorm)(to_gray(lightness))
        mean = keras.layers.GlobalAveragePooling2D(name="mean")(features)
        outputs = {"label": apply_label_output(mean, num_classes)}
    return keras.Model({"lightness": lightness}, outputs, name="gray_classifier")


def to_gray(lightness):
    """The sRGB gray in [0, 1] of a model's lightness."""
    return lightness_to_gray(denormalize_lightness(lightness))
