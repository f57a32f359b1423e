"""The dense-network colorizer of Zhang N. et al., 2019."""

import keras
from keras import ops

from densecolor.errors import require_choice
from densecolor.models import dense_block
from densecolor.models import efficient_block
from densecolor.models.class_branch import BRANCHES
from densecolor.models.class_branch import apply_class_branch
from densecolor.models.colorizer import Colorizer
from densecolor.models.layers import CropLike
from densecolor.models.layers import Enlarge
from densecolor.models.layers import PadToMultiple
from densecolor.models.layers import apply_label_output
from densecolor.models.layers import apply_output_convolution
from densecolor.models.layers import dtype_scope
from densecolor.models.layers import spread_over


@keras.saving.register_keras_serializable(package="densecolor")
class DenseColorizer(Colorizer):
    """Four dense blocks at the picture's own size, guided before the last one by a classification network.

    Zhang N., Qin P., Zeng J., Song Y., "Image Colorization Algorithm based on Dense Neural Network", 2019. The
    paper fixes the growth rate, the 1x1 convolutions, the halving transitions, the three fully connected layers
    ending in 64 and the fusion before the fourth block; layers per block, stem and widths are our choice.

    Input: `lightness`, float (batch, H, W, 1), L / 50 - 1, in [-1, 1]; any H and W.
    Output: dict of float32 tensors: `ab`, (batch, H, W, 2), ab / 128; and, with classes, `label`,
    (batch, num_classes) probabilities.

    Args:
        num_classes: int, 0 for no `label` output. The default is that of Places.
        layers_per_block: int, layers of each dense block.
        growth_rate: int, channels that each layer adds.
        stem_strides: int. 2 or 4 lets the dense blocks work at a half or a quarter of the size, much faster; `ab`
            is then enlarged bilinearly.
        branch: str, the classification network, a name in `densecolor.models.BRANCHES`.
        branch_weights: None, "imagenet" (Keras downloads them) or the path of a weights file. Part of building
            only: a saved model holds the weights themselves, so its config says None.
        branch_size: int, side at which the classification network sees the picture; None for its own.
        branch_pooling: bool, average its features over the picture instead of flattening them.
        fc_widths: tuple of int, units of the fully connected layers after it.
        joint: bool. False as in the paper: the colour loss reaches the dense blocks only and the classification
            loss the branch only, so without classes nothing trains the branch. True lets the colour loss train it.
        output_activation: "linear" or "tanh".
        sync_batchnorm: bool, normalise over all replicas of a distribution strategy (TensorFlow only).
        memory_efficient: bool. True trains the same network and stores less: the backward pass computes again
            what it needs (docs/training.md). A checkpoint of either form fits the other.
        working_size: int, side in pixels at which the weights work best; trainers set it to the size they used.
        dtype: dtype policy or its name, None for the global one.
        name: str.

    Raises:
        DensecolorError: an argument has a value that is not among its choices, or the branch weights do not load.

    Example:
        >>> model = DenseColorizer(num_classes=0, layers_per_block=1, branch="mobilenet_v3_small",
        ...                        branch_pooling=True, fc_widths=(16,))
        >>> model(np.zeros((1, 97, 131, 1)))["ab"].shape
        TensorShape([1, 97, 131, 2])
    """

    def __init__(
        self,
        num_classes=205,
        layers_per_block=12,
        growth_rate=12,
        stem_strides=1,
        branch="vgg16",
        branch_weights=None,
        branch_size=None,
        branch_pooling=False,
        fc_widths=(4096, 1024, 64),
        joint=False,
        output_activation="linear",
        sync_batchnorm=False,
        memory_efficient=False,
        working_size=256,
        dtype=None,
        name="dense_colorizer",
    ):
        require_choice("branch", branch, sorted(BRANCHES))
        require_choice("output_activation", output_activation, ["linear", "tanh"])
        branch_size = branch_size or BRANCHES[branch].size
        with dtype_scope(dtype) as policy:
            lightness = keras.Input((None, None, 1), name="lightness")
            vector = apply_class_branch(
                lightness, branch, branch_size, branch_weights, branch_pooling, fc_widths, sync_batchnorm
            )
            guide = vector if joint else ops.stop_gradient(vector)
            features = _apply_color_stream(
                lightness, guide, layers_per_block, growth_rate, stem_strides, sync_batchnorm, memory_efficient
            )
            ab = _apply_output(features, lightness, stem_strides, output_activation)
            outputs = {"ab": ab}
            if num_classes:
                outputs["label"] = apply_label_output(vector, num_classes)
        super().__init__(lightness, outputs, policy, working_size, name)
        self.num_classes = num_classes
        self.layers_per_block = layers_per_block
        self.growth_rate = growth_rate
        self.stem_strides = stem_strides
        self.branch = branch
        self.branch_size = branch_size
        self.branch_pooling = branch_pooling
        self.fc_widths = tuple(fc_widths)
        self.joint = joint
        self.output_activation = output_activation
        self.sync_batchnorm = sync_batchnorm
        self.memory_efficient = memory_efficient

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "layers_per_block": self.layers_per_block,
            "growth_rate": self.growth_rate,
            "stem_strides": self.stem_strides,
            "branch": self.branch,
            "branch_weights": None,
            "branch_size": self.branch_size,
            "branch_pooling": self.branch_pooling,
            "fc_widths": list(self.fc_widths),
            "joint": self.joint,
            "output_activation": self.output_activation,
            "sync_batchnorm": self.sync_batchnorm,
            "memory_efficient": self.memory_efficient,
        }


def _apply_color_stream(lightness, guide, layers_per_block, growth_rate, strides, synchronized, memory_efficient):
    """Stem, three dense blocks with transitions, fusion with the class vector, the fourth dense block."""
    blocks = efficient_block if memory_efficient else dense_block
    x = PadToMultiple(strides, name="pad")(lightness)
    width = 2 * growth_rate
    x = blocks.apply_stem(x, width, max(3, strides), strides, synchronized)
    for index in (1, 2, 3):
        x = blocks.apply_dense_block(x, layers_per_block, growth_rate, f"block{index}", synchronized)
        # The last transition meets the class vector in its own length.
        width = guide.shape[-1] if index == 3 else (width + layers_per_block * growth_rate) // 2
        x = blocks.apply_transition(x, width, f"transition{index}", synchronized)
    guide = spread_over(guide, x[-1] if memory_efficient else x)
    x = blocks.concatenate([x, guide], "fusion", synchronized)
    x = blocks.apply_dense_block(x, layers_per_block, growth_rate, "block4", synchronized)
    return blocks.apply_norm_relu(x, "output", synchronized)


def _apply_output(features, lightness, strides, activation):
    ab = apply_output_convolution(features)
    if strides > 1:
        ab = Enlarge(strides, dtype="float32", name="enlarge")(ab)
        ab = CropLike(dtype="float32", name="crop")([ab, lightness])
    return keras.layers.Activation(activation, dtype="float32", name="ab")(ab)
