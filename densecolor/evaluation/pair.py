"""A picture and what a system makes of it, with everything that several measures share computed once."""

import functools
import math
from typing import NamedTuple

import numpy as np

from densecolor import metrics
from densecolor.color import srgb_to_lab


class Answer(NamedTuple):
    """What a system makes of a picture."""

    rgb: np.ndarray  # sRGB uint8 (H, W, 3)
    ab: np.ndarray  # float32 or int8 (H, W, 2), in [-128, 127]
    class_index: int | None = None


class Side:
    """One side of a comparison, the truth or an answer: what is said of it alone."""

    def __init__(self, picture, rgb, ab):
        self.lightness = picture.lightness
        self.rgb = rgb
        self.ab = ab
        self._mask = picture.mask
        self._on = {}

    @functools.cached_property
    def entropies(self):
        """(ab_entropy, joint_ab_entropy)."""
        return metrics.entropies_of(self.histogram)

    @functools.cached_property
    def histogram(self):
        """Counts of the rounded (a, b), float32 (256, 256)."""
        return metrics.ab_histogram(self.ab)

    @functools.cached_property
    def colorfulness(self):
        """Hasler and Suesstrunk's."""
        return metrics.colorfulness(self.rgb)

    @functools.cached_property
    def lab(self):
        """Of the picture as it is shown, float32 (H, W, 3)."""
        return srgb_to_lab(self.rgb)

    def on(self, background):
        """The foreground on a background, R, G, B."""
        if background not in self._on:
            self._on[background] = metrics.composite(self.rgb, self._mask, background)
        return self._on[background]


class Pair:
    """An answer beside the truth.

    Attributes:
        picture: `densecolor.evaluation.pictures.Picture`.
        true, pred: Side; the truth's is shared by all systems.
        class_index: the predicted class, or None.
    """

    def __init__(self, picture, true, answer):
        self.picture = picture
        self.true = true
        self.pred = Side(picture, answer.rgb, answer.ab)
        self.class_index = answer.class_index

    @functools.cached_property
    def has_foreground(self):
        """Whether there is a mask with something in it."""
        return self.picture.mask is not None and bool(self.picture.mask.any())

    @functools.cached_property
    def inside(self):
        """MAE, PSNR and SSIM inside the mask."""
        return metrics.masked_errors(self.true.rgb, self.pred.rgb, self.picture.mask)

    def at_least(self, side, metric):
        """A metric of both sRGB pictures, NaN where they are smaller than it needs."""
        if min(self.true.rgb.shape[:2]) < side:
            return math.nan
        return metric(self.true.rgb, self.pred.rgb)
