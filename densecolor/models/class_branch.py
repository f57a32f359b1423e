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
from densecolor.errors import failed_downloads_named
from densecolor.errors import load_weights
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import ResizeTo

IMAGENET_CLASSES = 1000


class Branch(NamedTuple):
    """A network of `keras.applications`."""

    network: Callable
    module: ModuleType  # that has its preprocessing
    size: int  # side of the pictures that its published weights were trained at
    features: int  # channels before its classifier


BRANCHES = {
    "convnext_base": Branch(applications.ConvNeXtBase, applications.convnext, 224, 1024),
    "convnext_small": Branch(applications.ConvNeXtSmall, applications.convnext, 224, 768),
    "convnext_tiny": Branch(applications.ConvNeXtTiny, applications.convnext, 224, 768),
    "densenet121": Branch(applications.DenseNet121, applications.densenet, 224, 1024),
    "densenet169": Branch(applications.DenseNet169, applications.densenet, 224, 1664),
    "densenet201": Branch(applications.DenseNet201, applications.densenet, 224, 1920),
    "efficientnet_b0": Branch(applications.EfficientNetB0, applications.efficientnet, 224, 1280),
    "efficientnet_b4": Branch(applications.EfficientNetB4, applications.efficientnet, 380, 1792),
    "efficientnet_v2_b0": Branch(applications.EfficientNetV2B0, applications.efficientnet_v2, 224, 1280),
    "efficientnet_v2_s": Branch(applications.EfficientNetV2S, applications.efficientnet_v2, 384, 1280),
    "inception_resnet_v2": Branch(applications.InceptionResNetV2, applications.inception_resnet_v2, 299, 1536),
    "inception_v3": Branch(applications.InceptionV3, applications.inception_v3, 299, 2048),
    "mobilenet": Branch(applications.MobileNet, applications.mobilenet, 224, 1024),
    "mobilenet_v2": Branch(applications.MobileNetV2, applications.mobilenet_v2, 224, 1280),
    "mobilenet_v3_large": Branch(applications.MobileNetV3Large, applications.mobilenet_v3, 224, 960),
    "mobilenet_v3_small": Branch(applications.MobileNetV3Small, applications.mobilenet_v3, 224, 576),
    "nasnet_mobile": Branch(applications.NASNetMobile, applications.nasnet, 224, 1056),
    "resnet50": Branch(applications.ResNet50, applications.resnet, 224, 2048),
    "resnet101": Branch(applications.ResNet101, applications.resnet, 224, 2048),
    "resnet152": Branch(applications.ResNet152, applications.resnet, 224, 2048),
    "resnet50_v2": Branch(applications.ResNet50V2, applications.resnet_v2, 224, 2048),
    "resnet101_v2": Branch(applications.ResNet101V2, applications.resnet_v2, 224, 2048),
    "resnet152_v2": Branch(applications.ResNet152V2, applications.resnet_v2, 224, 2048),
    "vgg16": Branch(applications.VGG16, applications.vgg16, 224, 512),
    "vgg19": Branch(applications.VGG19, applications.vgg19, 224, 512),
    "xception": Branch(applications.Xception, applications.xception, 299, 2048),
}


def apply_class_branch(lightness, branch, size, weights, pooled, fc_widths, synchronized=False):
    """From a picture's lightness to the class vector.

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
    backbone = create_backbone(branch, size, weights, synchronized)
    features = backbone(network_input(lightness, branch, size))
    gather = keras.layers.GlobalAveragePooling2D if pooled else keras.layers.Flatten
    vector = gather(name="class_features")(features)
    for index, width in enumerate(fc_widths, start=1):
        vector = keras.layers.Dense(width, activation="relu", name=f"fc{index}")(vector)
    return vector


def network_input(lightness, branch, size):
    """What a network of `BRANCHES` was made for: gray pictures through its own preprocessing.

    Args:
        lightness: (batch, H, W, 1) in [-1, 1].
        branch: a name in `BRANCHES`.
        size: side that the picture is resized to, whatever its proportions.

    Returns:
        (batch, size, size, 3): the sRGB gray of the lightness in three equal channels, preprocessed.
    """
    gray = 255 * lightness_to_gray(denormalize_lightness(lightness))
    gray = ResizeTo(size, dtype="float32", name="branch_resize")(gray)
    return BRANCHES[branch].module.preprocess_input(ops.repeat(gray, 3, axis=-1))


def create_backbone(branch, size, weights=None, synchronized=False, logit_count=0):
    """A network of `BRANCHES` for pictures (size, size, 3).

    Args:
        branch, size, weights, synchronized: as in `apply_class_branch`.
        logit_count: classes of the network's own classifier, which then ends it without its softmax; 0 for the
            network without its top.

    Raises:
        DensecolorError: as `apply_class_branch`; or Keras has no weights for a classifier of this size.
    """
    downloaded = weights if weights == "imagenet" else None
    options = {"include_top": False}
    if logit_count:
        options = {"include_top": True, "classes": logit_count, "classifier_activation": None}
        own_size = BRANCHES[branch].size
        if downloaded and (size, logit_count) != (own_size, IMAGENET_CLASSES):
            raise DensecolorError(
                f"The ImageNet classifier of {branch!r} needs branch_size={own_size} and logit_count="
                f"{IMAGENET_CLASSES}. Received: branch_size={size}, logit_count={logit_count}."
            )
    with failed_downloads_named(branch):
        backbone = BRANCHES[branch].network(weights=downloaded, input_shape=(size, size, 3), **options)
    if weights and not downloaded:
        origin = f"keras.applications' network of this name with include_top={bool(logit_count)}"
        load_weights(backbone, weights, repr(branch), origin)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
            layer.momentum = NORM_MOMENTUM
    return backbone
