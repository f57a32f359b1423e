"""What each discriminator is shown of a batch."""

from typing import NamedTuple

import tensorflow as tf

GAN_MASKS = ("none", "foreground", "saliency", "learned")
ATTENTIONS = ("l1", "l2")
PACKED_MASKS = ("foreground", "saliency")  # those that come from the shards


class Scene(NamedTuple):
    """True and predicted pictures for one discriminator.

    Attributes:
        true, predicted: dict of the discriminator's inputs, (rows, H, W, C) each.
        weight: (rows,), 0 for padding and, where masks matter, for pictures without one.
        varying: names of the inputs in which the two differ.
    """

    true: dict
    predicted: dict
    weight: tf.Tensor
    varying: tuple

    def without_gradient(self):
        """The same with predicted pictures that are constants."""
        return self._replace(predicted={name: tf.stop_gradient(value) for name, value in self.predicted.items()})


def make_scenes(lightness, targets, weights, outputs, mask, colors="ab"):
    """The whole picture, and with a mask also what is inside of it.

    Args:
        lightness: (rows, H, W, 1).
        targets: dict with the true colours and, for masks from the shards, `mask` (rows, H, W, 1).
        weights: dict, for each target a weight that has as many numbers as there are rows.
        outputs: dict with the predicted colours and, for learned masks, `mask`.
        mask: one of `GAN_MASKS`.
        colors: "ab" (rows, H, W, 2), "lab" or "rgb" (rows, H, W, 3), which of targets and outputs are judged.

    Returns:
        list of one or two `Scene`. The second one's lightness, colours and mask are all 0 outside of the mask, so that
        nothing there is seen or gets a gradient.
    """
    weight = tf.reshape(weights[colors], [-1])
    true, predicted = targets[colors], outputs[colors]
    whole = Scene(
        {"lightness": lightness, colors: true}, {"lightness": lightness, colors: predicted}, weight, (colors,)
    )
    if mask == "none":
        return [whole]
    if mask in PACKED_MASKS:
        masks = targets["mask"], targets["mask"]
        weight, varying = tf.reshape(weights["mask"], [-1]), (colors,)
    else:
        masks, varying = _learned_masks(targets, weights, outputs), ("lightness", colors, "mask")
    sides = (
        {"lightness": lightness * mask, colors: color * mask, "mask": mask}
        for color, mask in zip((true, predicted), masks, strict=True)
    )
    return [whole, Scene(*sides, weight, varying)]


def _learned_masks(targets, weights, outputs):
    """The shards' mask and the predicted one. For a picture without a mask the predicted one stands on both sides.

    There it is a constant: a mask that learned from these losses alone would become empty, since nothing is told apart
    and no colour is wrong inside an empty mask.
    """
    predicted = outputs["mask"]
    own = tf.stop_gradient(predicted)
    if "mask" not in targets:
        return own, own
    has_mask = tf.reshape(weights["mask"], [-1, 1, 1, 1]) > 0
    return tf.where(has_mask, targets["mask"], own), tf.where(has_mask, predicted, own)
