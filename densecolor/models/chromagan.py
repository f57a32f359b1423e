"""The generator of Vitoria et al., 2020 (ChromaGAN): VGG-16's features, a global vector, and classes."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.class_branch import create_backbone
from densecolor.models.colorizer import Colorizer
from densecolor.models.convolutions import apply_color_decoder
from densecolor.models.convolutions import require_positive
from densecolor.models.convolutions import scaled
from densecolor.models.fusion import apply_fusion
from densecolor.models.gray_vgg import to_gray
from densecolor.models.layers import NORM_MOMENTUM
from densecolor.models.layers import CropLike
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import ResizeTo
from densecolor.models.layers import apply_layers
from densecolor.models.layers import dtype_scope
from densecolor.models.teacher import FollowTeacher

TRUNK = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))  # VGG-16 to block4_conv3
GLOBAL = ((512, 2), (512, 1), (512, 2), (512, 1))
GLOBAL_UNITS = (1024, 512, 256)
CLASS_UNITS = (4096, 4096)
MID_LEVEL = ((512, 1), (256, 1))
FUSED = 256
PREPROCESSINGS = ("vgg", "lightness")
VGG_MEANS = (103.939, 116.779, 123.68)
AB_SCALE = 255 / 128  # the sigmoid stands for a + 128 and b + 128 of 0 to 255; ours for ab / 128
CLASS_WEIGHT = 0.003 * AB_SCALE**2  # the paper's, for our squared error


@keras.saving.register_keras_serializable(package="densecolor")
class ChromaGANColorizer(Colorizer):
    """The first ten convolutions of VGG-16, and from them places, the whole picture as a vector, and its class.

    Vitoria P., Raad L., Ballester C., "ChromaGAN: Adversarial Picture Colorization with Semantic Class Distribution",
    WACV 2020, as in the authors' code: 171,166,090 parameters with 1000 classes, of which 123,642,856 are the class
    head's, that only training needs. ReLU before BatchNormalization in the global and the mid-level features; fully
    connected layers without activation, where the paper's figure has ReLU.

    The class head learns to say what a trained VGG-16 says of the gray picture, by the Kullback-Leibler divergence
    with weight 0.003: give `teacher_weights`, and num_classes=1000. Without a teacher it learns the classes of the
    data, by their cross-entropy, whose weight is `label_weight` of training.

    Where we differ, or the paper says too little:
        - The authors' network is for 224 x 224. Here the local features are those of the picture at its own size, the
          global ones those of the picture at `global_size`, through the same weights; of a picture of this size both
          are the same, and the network is the authors'.
        - The authors feed VGG-16 with lightness of 0 to 1; our default is what its weights were trained on.
          preprocessing="lightness" is theirs.
        - The moving statistics of BatchNormalization follow faster, as in all our models.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128; and, with classes, `label`, (batch, num_classes)
        probabilities.

    Args:
        num_classes: int, 0 for no `label` output. The default is that of ImageNet.
        branch_weights: of VGG-16, which the local features begin with: None (random), "imagenet" (Keras downloads
            them) or a file of `keras.applications.VGG16(include_top=False)`; only with the width of 1. Part of building
            only: a saved model holds the weights themselves.
        preprocessing: "vgg", gray of 0 to 255 less VGG's means; or "lightness", L / 100.
        teacher: a name in `densecolor.models.BRANCHES`, the network that the class head learns from.
        teacher_weights: None for no teacher, "imagenet" (Keras downloads them), or a file of that network's weights.
            Part of training only.
        global_size: int, side at which the global features see the picture, whatever its proportions.
        width: float, factor of all channels and units.
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: `preprocessing` or `teacher` is not among its choices, a number is not positive, weights do not
            load, or the teacher has another number of classes.

    Example:
        >>> model = ChromaGANColorizer(num_classes=3, global_size=32, width=0.05)
        >>> model(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        num_classes=1000,
        branch_weights=None,
        preprocessing="vgg",
        teacher="vgg16",
        teacher_weights=None,
        global_size=224,
        width=1.0,
        sync_batchnorm=False,
        working_size=256,
        dtype=None,
        name="chromagan_colorizer",
    ):
        require_choice("preprocessing", preprocessing, PREPROCESSINGS)
        require_positive(global_size=global_size, width=width)
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            trunk = _trunk_layers(width)
            small = ResizeTo(global_size, dtype="float32", name="global_resize")(lightness)
            x = apply_layers(_prepare(small, preprocessing), trunk)
            x = _apply_convolutions(x, GLOBAL, "global", width, sync_batchnorm)
            whole = keras.layers.Flatten(name="global_flat")(x)
            vector = whole
            for index, units in enumerate(GLOBAL_UNITS, start=1):
                vector = keras.layers.Dense(scaled(units, width), name=f"global_fc{index}")(vector)
            x = apply_layers(_prepare(PadToMultiple(8, name="pad")(lightness), preprocessing), trunk)
            x = _apply_convolutions(x, MID_LEVEL, "mid", width, sync_batchnorm)
            x = apply_fusion(x, vector, scaled(FUSED, width))
            x = apply_color_decoder(x, "sigmoid", width=width)
            ab = keras.layers.Rescaling(AB_SCALE, -1, dtype="float32", name="scale")(x)
            outputs = {"ab": CropLike(dtype="float32", name="ab")([ab, lightness])}
            if num_classes:
                for index, units in enumerate(CLASS_UNITS, start=1):
                    whole = keras.layers.Dense(scaled(units, width), name=f"class_fc{index}")(whole)
                classes = keras.layers.Dense(num_classes, activation="softmax", dtype="float32", name="classes")(whole)
                follow = FollowTeacher(teacher, teacher_weights, CLASS_WEIGHT, dtype="float32", name="label")
                outputs["label"] = follow([classes, lightness])
        super().__init__(lightness, outputs, policy, working_size, name)
        if branch_weights is not None:
            _begin_with(self, branch_weights, width)
        self.num_classes = num_classes
        self.preprocessing = preprocessing
        self.teacher = teacher
        self.has_teacher = teacher_weights is not None
        self.global_size = global_size
        self.width = width
        self.sync_batchnorm = sync_batchnorm

    @property
    def output_weights(self):
        """With a teacher, the classes of the data count for nothing."""
        return {"label": 0.0} if self.has_teacher else {}

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "branch_weights": None,
            "preprocessing": self.preprocessing,
            "teacher": self.teacher,
            "teacher_weights": None,
            "global_size": self.global_size,
            "width": self.width,
            "sync_batchnorm": self.sync_batchnorm,
        }


def _trunk_layers(width):
    """VGG-16 until its fourth pooling, in Keras' names, to be applied twice."""
    layers = []
    for block, channels in enumerate(TRUNK, start=1):
        if block > 1:
            layers.append(keras.layers.MaxPooling2D(2, name=f"block{block - 1}_pool"))
        for index, filters in enumerate(channels, start=1):
            name = f"block{block}_conv{index}"
            layers.append(
                keras.layers.Conv2D(
                    scaled(filters, width),
                    3,
                    padding="same",
                    activation="relu",
                    kernel_initializer="he_normal",
                    name=name,
                )
            )
    return layers


def _begin_with(model, weights, width):
    """Give the trunk the weights of a trained VGG-16."""
    if width != 1:
        raise DensecolorError(f"VGG-16's weights are for width=1. Received: {width}. Leave out branch_weights.")
    trained = create_backbone("vgg16", 32, weights)
    for block, channels in enumerate(TRUNK, start=1):
        for index in range(1, len(channels) + 1):
            name = f"block{block}_conv{index}"
            model.get_layer(name).set_weights(trained.get_layer(name).get_weights())


def _prepare(lightness, preprocessing):
    """Three equal channels of a gray picture, as VGG-16 is to see them."""
    if preprocessing == "lightness":
        return ops.repeat((lightness + 1) / 2, 3, axis=-1)
    # VGG-16's channels are in the order of blue, green, red.
    return 255 * ops.repeat(to_gray(lightness), 3, axis=-1) - ops.convert_to_tensor(VGG_MEANS, lightness.dtype)


def _apply_convolutions(x, table, name, width, synchronized):
    """3x3 convolutions with bias, ReLU, BatchNormalization."""
    for index, (filters, strides) in enumerate(table, start=1):
        part = f"{name}{index}"
        x = keras.layers.Conv2D(
            scaled(filters, width),
            3,
            strides=strides,
            padding="same",
            activation="relu",
            kernel_initializer="he_normal",
            name=f"{part}_conv",
        )(x)
        x = keras.layers.BatchNormalization(
            momentum=NORM_MOMENTUM, epsilon=1e-3, synchronized=synchronized, name=f"{part}_norm"
        )(x)
    return x
