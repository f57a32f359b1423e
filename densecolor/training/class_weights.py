"""Weights that let a rare class teach as much as a frequent one."""

import numpy as np

from densecolor.errors import TrainingError

CLASS_WEIGHTS = ("none", "balanced")


def balanced_class_weights(packed, num_classes):
    """Inverse frequencies: N / (K n_c) for a class of n_c of the N labelled pictures, K classes having any.

    Over the labelled pictures the mean weight is 1, so that the loss keeps its scale. A class without a picture
    weighs 1.

    Args:
        packed: `densecolor.shards.PackedSplit`; the labels of all its shards are read.
        num_classes: int, of the model; at least as many as the data has.

    Returns:
        list of float.

    Raises:
        TrainingError: no picture has a label.

    Example:
        >>> balanced_class_weights(open_dataset("packed"), num_classes=2)  # of 30 and 10 pictures
        [0.6666666666666666, 2.0]
    """
    counts = np.zeros(num_classes, np.int64)
    counts[: len(packed.class_names)] = packed.label_counts()
    if not counts.any():
        raise TrainingError(
            f"No picture of {packed.paths[0].parent} has a label, so its classes cannot be balanced. "
            "Use class_weights=none, or pack a source that has classes."
        )
    return np.where(counts, counts.sum() / ((counts > 0).sum() * np.maximum(counts, 1)), 1.0).tolist()
