"""The classification branch: a network of `keras.applications` that looks at the lightness of the whole picture."""

from collections.abc import Callable
from types import ModuleType
from typing import NamedTuple

import keras
from keras import applications
from keras import ops

from densecolor.color import denormalize_lightness
from densecolor.color.ops import lightness_to_gray
from densecolor.errors import DensecolorError
from densecolor.models.layers import NORM_MOMENTUM


class Branch(NamedTuple):
    """A network, the module that has its preprocessing, and the side its published weights were trained at."""

    network: Callable
    module: ModuleType
    size: int


BRANCHES = {
    "convnext_base": Branch(applications.ConvNeXtBase, applications.convnext, 224),
    "convnext_small": Branch(applications.ConvNeXtSmall, applications.convnext, 224),
    "convnext_tiny": Branch(applications.ConvNeXtTiny, applications.convnext, 224),
    "densenet121": Branch(applications.DenseNet121, applications.densenet, 224),
    "densenet169": Branch(applications.DenseNet169, applications.densenet, 224),
    "densenet201": Branch(applications.DenseNet201, applications.densenet, 224),
    "efficientnet_b0": Branch(applications.EfficientNetB0, applications.efficientnet, 224),
    "efficientnet_b4": Branch(applications.EfficientNetB4, applications.efficientnet, 380),
    "efficientnet_v2_b0": Branch(applications.EfficientNetV2B0, applications.efficientnet_v2, 224),
    "efficientnet_v2_s": Branch(applications.EfficientNetV2S, applications.efficientnet_v2, 384),
    "inception_resnet_v2": Branch(applications.InceptionResNetV2, applications.inception_resnet_v2, 299),
    "inception_v3": Branch(applications.InceptionV3, applications.inception_v3, 299),
    "mobilenet": Branch(applications.MobileNet, applications.mobilenet, 224),
    "mobilenet_v2": Branch(applications.MobileNetV2, applications.mobilenet_v2, 224),
    "mobilenet_v3_large": Branch(applications.MobileNetV3Large, applications.mobilenet_v3, 224),
    "mobilenet_v3_small": Branch(applications.MobileNetV3Small, applications.mobilenet_v3, 224),
    "nasnet_mobile": Branch(applications.NASNetMobile, applications.nasnet, 224),
    "resnet50": Branch(applications.ResNet50, applications.resnet, 224),
    "resnet101": Branch(applications.ResNet101, applications.resnet, 224),
    "resnet152": Branch(applications.ResNet152, applications.resnet, 224),
    "resnet50_v2": Branch(applications.ResNet50V2, applications.resnet_v2, 224),
    "resnet101_v2": Branch(applications.ResNet101V2, applications.resnet_v2, 224),
    "resnet152_v2": Branch(applications.ResNet152V2, applications.resnet_v2, 224),
    "vgg16": Branch(applications.VGG16, applications.vgg16, 224),
    "vgg19": Branch(applications.VGG19, applications.vgg19, 224),
    "xception": Branch(applications.Xception, applications.xception, 299),
}


def apply_class_branch(lightness, branch, size, weights, pooled, fc_widths, synchronized=False):
    """From a picture's lightness to the class vector.

    The network sees what it was made for: the sRGB gray of the lightness in 0..255, resized, in three equal
    channels, through its own preprocessing.

    Args:
        lightness: (batch, H, W, 1) in [-1, 1].
        branch: a name in `BRANCHES`.
        size: side of the square picture that the network sees.
        weights: None (random), "imagenet" (Keras downloads them) or a file of weights of this network without its top.
        pooled: average the network's features over the picture, instead of flattening them.
        fc_widths: units of the fully connected layers; the last gives the length of the vector.
        synchronized: BatchNormalization over all replicas.

    Returns:
        The class vector (batch, fc_widths[-1]), not negative.

    Raises:
        DensecolorError: `weights` is not a file, or holds weights of another network.
    """
    gray = 255 * lightness_to_gray(denormalize_lightness(lightness))
    gray = ops.image.resize(gray, (size, size), interpolation="bilinear", antialias=True)
    pixels = BRANCHES[branch].module.preprocess_input(ops.repeat(gray, 3, axis=-1))
    backbone = create_backbone(branch, size, weights, synchronized)
    features = backbone(pixels)
    gather = keras.layers.GlobalAveragePooling2D if pooled else keras.layers.Flatten
    vector = gather(name="class_features")(features)
    for index, width in enumerate(fc_widths, start=1):
        vector = keras.layers.Dense(width, activation="relu", name=f"fc{index}")(vector)
    return vector


def create_backbone(branch, size, weights=None, synchronized=False):
    """A network of `BRANCHES` without its top, for pictures (size, size, 3); arguments as in `apply_class_branch`."""
    downloaded = weights if weights == "imagenet" else None
    backbone = BRANCHES[branch].network(include_top=False, weights=downloaded, input_shape=(size, size, 3))
    if weights and not downloaded:
        _load_backbone_weights(backbone, branch, weights)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
            layer.momentum = NORM_MOMENTUM
    return backbone


def _load_backbone_weights(backbone, branch, path):
    try:
        backbone.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise DensecolorError(
            f"The branch weights {str(path)!r} could not be loaded into {branch!r}: {error} Give a file that "
            f"`save_weights` wrote for keras.applications' network of this name with include_top=False."
        ) from error
