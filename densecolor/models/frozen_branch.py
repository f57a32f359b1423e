"""The embedding: what a trained network of `keras.applications`, which stays as it is, says of the whole picture."""

import keras

from densecolor.errors import require_choice
from densecolor.models.class_branch import BRANCHES
from densecolor.models.class_branch import IMAGENET_CLASSES
from densecolor.models.class_branch import create_backbone
from densecolor.models.class_branch import network_input

EMBEDDINGS = ("logits", "pooled")


def embedding_length(branch, embedding, logit_count):
    """How many values an embedding has, known without building the network."""
    return logit_count if embedding == "logits" else BRANCHES[branch].features


def apply_frozen_branch(lightness, branch, size, weights, embedding, logit_count):
    """From a picture's lightness to its embedding; nothing in the network is trained.

    Args:
        lightness: (batch, H, W, 1) in [-1, 1].
        branch: a name in `BRANCHES`.
        size: side of the square picture that the network sees.
        weights: None (random), "imagenet" (Keras downloads them) or a file of this network's weights: with its top for
            "logits", without it for "pooled".
        embedding: "logits", the classifier's values before its softmax; or "pooled", the mean of its last features.
        logit_count: classes of the classifier.

    Returns:
        (batch, D), not bounded; D is `embedding_length(...)`.

    Raises:
        DensecolorError: as `class_branch.create_backbone`.
    """
    backbone = create_backbone(branch, size, weights, logit_count=logit_count if embedding == "logits" else 0)
    backbone.trainable = False
    # Not even the classifier's Dropout is to do anything.
    vector = backbone(network_input(lightness, branch, size), training=False)
    return keras.layers.GlobalAveragePooling2D(name="pooled")(vector) if embedding == "pooled" else vector


def create_embedder(branch, size=None, weights=None, embedding="logits", logit_count=IMAGENET_CLASSES):
    """A model from lightness to the embedding, to compute embeddings once for many trainings.

    Args:
        branch, weights, embedding, logit_count: as in `apply_frozen_branch`.
        size: as there; None for the network's own.

    Returns:
        `keras.Model`: (batch, H, W, 1), any H and W, to (batch, D).

    Raises:
        DensecolorError: `branch` or `embedding` is unknown, or as `class_branch.create_backbone`.

    Example:
        >>> create_embedder("mobilenet", 32, embedding="pooled")(np.zeros((1, 97, 131, 1))).shape
        TensorShape([1, 1024])
    """
    require_choice("branch", branch, sorted(BRANCHES))
    require_choice("embedding", embedding, EMBEDDINGS)
    lightness = keras.Input((None, None, 1), name="lightness")
    size = size or BRANCHES[branch].size
    vector = apply_frozen_branch(lightness, branch, size, weights, embedding, logit_count)
    return keras.Model(lightness, vector, name=f"{branch}_embedder")
