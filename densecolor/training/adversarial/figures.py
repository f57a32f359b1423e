"""What an adversarial step tells about itself: Keras metrics, so means over the pictures of an epoch."""

import keras
import tensorflow as tf

from densecolor.metrics.color_spread import ColorSpread

PREFIXES = ("", "masked_")  # of a discriminator of the whole picture, and of one of what is inside the mask
GRAY = "gray_"  # of one that judges gray pictures
SCORES = ("score_true", "score_predicted", "discriminator_accuracy")


class Figures:
    """The metrics of an `AdversarialColorizer`.

    For each discriminator, with `masked_` before them for one that sees masks: `gan_generator` and
    `gan_discriminator`, the losses; `score_true` and `score_predicted`, its scores; `discriminator_accuracy`, the share
    of pictures whose true colours have a higher score than the predicted ones; `gradient_penalty`, not yet weighted.
    And for all: `attention`, not yet weighted; `generator_gradient_norm`, `discriminator_gradient_norm`; `color_spread`
    (see `ColorSpread`). Before the adversary has begun, its figures are 0.

    Args:
        prefixes: list of str, what stands before the names of each discriminator's figures.
        has_penalty: bool.
        has_attention: bool.
        more: names of further losses.
    """

    def __init__(self, prefixes, has_penalty, has_attention, more=()):
        names = ["gan_generator", "gan_discriminator", *SCORES, *(["gradient_penalty"] if has_penalty else [])]
        self._prefixes = list(prefixes)
        every = [f"{prefix}{name}" for prefix in self._prefixes for name in names]
        every += [*(["attention"] if has_attention else []), *more]
        every += ["generator_gradient_norm", "discriminator_gradient_norm"]
        self._means = {name: keras.metrics.Mean(name=name, dtype="float32") for name in every}
        self._spread = ColorSpread()

    @property
    def metrics(self):
        """All Keras metrics."""
        return [*self._means.values(), self._spread]

    @property
    def names(self):
        """Their names."""
        return {metric.name for metric in self.metrics}

    def add(self, place, name, values, weights):
        """Add the rows of a batch to a figure of discriminator number `place`."""
        self._means[f"{self._prefixes[place]}{name}"].update_state(values, sample_weight=weights)

    def add_scores(self, place, true, predicted, weights):
        """Add the scores of the pictures of a batch, (rows,) each."""
        accuracy = tf.cast(true > predicted, tf.float32)
        for name, values in zip(SCORES, (true, predicted, accuracy), strict=True):
            self.add(place, name, values, weights)

    def add_more(self, name, values, weights):
        """Add the rows of a batch to one of the further losses."""
        self._means[name].update_state(values, sample_weight=weights)

    def add_attention(self, values, weights):
        """Add the attention loss of the rows of a batch."""
        self._means["attention"].update_state(values, sample_weight=weights)

    def add_norm(self, name, norm):
        """Add a step's gradient norm; not one that overflowed in float16, whose step is not taken either."""
        is_finite = tf.math.is_finite(norm)
        self._means[name].update_state(tf.where(is_finite, norm, 0.0), sample_weight=tf.cast(is_finite, tf.float32))

    def add_spread(self, true, predicted, weights):
        """Add the colours of a batch."""
        self._spread.update_state(true, predicted, sample_weight=weights)
