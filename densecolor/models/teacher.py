"""Class probabilities that learn from a trained network, which is no part of the model that is saved."""

import keras
from keras import ops

from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.models.class_branch import BRANCHES
from densecolor.models.class_branch import IMAGENET_CLASSES
from densecolor.models.class_branch import create_backbone
from densecolor.models.class_branch import network_input

SMALLEST = 1e-7  # of a probability whose logarithm is taken


class _Untracked:
    """Holds a network where Keras does not look for layers and weights."""

    def __init__(self, network):
        self.network = network


@keras.saving.register_keras_serializable(package="densecolor")
class FollowTeacher(keras.layers.Layer):
    """Passes class probabilities on; in training, adds to the loss how far they are from a teacher's.

    With the teacher's probabilities q and the model's p, the loss is weight * sum over classes of q log(q / p),
    averaged over the batch. The teacher sees the gray picture at its own size, and is not trained. Pictures that only
    fill up a batch count too.

    Args:
        network: a name in `BRANCHES`, the teacher.
        weights: None for no teacher; "imagenet" (Keras downloads them), or a file of the network's weights with its
            classifier of 1000 classes.
        weight: float, of the loss.

    Raises:
        DensecolorError: `network` is unknown, its weights do not load, or the probabilities are not of 1000 classes.
    """

    def __init__(self, network="vgg16", weights=None, weight=1.0, **kwargs):
        super().__init__(**kwargs)
        require_choice("teacher", network, sorted(BRANCHES))
        self.network = network
        self.weight = weight
        self._teacher = None
        if weights is not None:
            teacher = create_backbone(network, BRANCHES[network].size, weights, logit_count=IMAGENET_CLASSES)
            teacher.trainable = False
            self._teacher = _Untracked(teacher)

    def build(self, input_shapes):
        """Check the number of classes."""
        if self._teacher is not None and input_shapes[0][-1] != IMAGENET_CLASSES:
            raise DensecolorError(
                f"A teacher knows {IMAGENET_CLASSES} classes, and the model has {input_shapes[0][-1]}. Set "
                f"num_classes={IMAGENET_CLASSES}, or leave out teacher_weights."
            )
        super().build(input_shapes)

    def call(self, inputs, training=None):
        """[probabilities (batch, classes), lightness (batch, H, W, 1)] to the probabilities."""
        probabilities, lightness = inputs
        if training and self._teacher is not None:
            seen = network_input(lightness, self.network, BRANCHES[self.network].size)
            taught = ops.stop_gradient(ops.softmax(self._teacher.network(seen, training=False)))
            taught = ops.maximum(ops.cast(taught, probabilities.dtype), SMALLEST)
            distance = ops.log(taught) - ops.log(ops.maximum(probabilities, SMALLEST))
            self.add_loss(self.weight * ops.mean(ops.sum(taught * distance, axis=-1)))
        return probabilities

    def compute_output_shape(self, shapes):
        """That of the probabilities."""
        return shapes[0]

    def get_config(self):
        """The constructor's arguments but for the weights, which only training needs."""
        return {**super().get_config(), "network": self.network, "weight": self.weight}
