"""Colours from the distributions that some models predict: at another temperature, or one drawn of many.

A sample must hang together: drawn pixel by pixel, a sky would be confetti. So all distributions of a picture are
shifted by one random preference for some colours over others, smooth over colours, and decoded as before: perturb and
take the likeliest, as in Papandreou and Yuille, "Perturb-and-MAP Random Fields", ICCV 2011, with one perturbation for
the whole picture. Where the model is sure every sample agrees; where it hesitates each leans to another colour.
"""

import functools

import cv2
import numpy as np

from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import decode_ab
from densecolor.color.hue_chroma import HISTOGRAM_BINS
from densecolor.color.ranges import normalize_ab

BINS_STRIDE = 4  # pixels that one of `ab_distribution` stands for
LEAST = 1e-12  # probability, so that none is impossible
PREFERENCE = 1.5  # standard deviation over colours, in natural logarithms of probability
AB_SMOOTHNESS = 30.0  # distance in a and b within which preferences are alike
HARMONICS = 2  # of preferences around the circle of hues, and over chroma


def decode_bins(outputs, lightness, temperature, random=None):
    """Colours of `ab_distribution`, as `colorful` predicts it.

    Args:
        outputs: dict of a model's outputs; `ab_distribution` is (batch, h, w, 313).
        lightness: (batch, H, W, 1), what the model was given.
        temperature: of the annealed mean, above 0 and at most 1.
        random: `np.random.Generator` to draw one sample with, or None for what is expected.

    Returns:
        float32 (batch, H, W, 2), ab / 128.
    """
    distribution = np.maximum(outputs["ab_distribution"], np.float32(LEAST))
    if random is not None:
        distribution = _shifted(distribution, random.standard_normal(len(AB_BINS)) @ _ab_smoothing())
    height, width = lightness.shape[1:3]
    enlarged = [
        cv2.resize(ab, None, fx=BINS_STRIDE, fy=BINS_STRIDE, interpolation=cv2.INTER_LINEAR)[:height, :width]
        for ab in decode_ab(distribution, temperature)
    ]
    return np.float32(normalize_ab(np.stack(enlarged)))


def decode_hue_chroma(outputs, lightness, temperature, random=None):
    """Colours of `hue_chroma_distribution`, as `hypercolumn` predicts it: the same with (batch, H, W, 2, 32)."""
    from densecolor.models.hypercolumn import HueChromaToAb  # here, since it brings Keras

    histograms = np.maximum(outputs["hue_chroma_distribution"], np.float32(LEAST))
    if random is not None:
        preferences = [random.standard_normal(len(waves)) @ waves for waves in (_HUE_WAVES, _CHROMA_WAVES)]
        histograms = _shifted(histograms, np.stack(preferences))
    sharpened = np.power(histograms, 1 / np.float32(temperature))
    sharpened /= sharpened.sum(axis=-1, keepdims=True)
    return np.asarray(HueChromaToAb(dtype="float32")([sharpened, np.asarray(lightness, np.float32)]))


def _shifted(distribution, preference):
    """A distribution (..., bins) times the exponential of a preference of variance 1, of sum 1 again."""
    logits = np.log(distribution) + np.float32(PREFERENCE * preference)
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return np.maximum(shifted / shifted.sum(axis=-1, keepdims=True), np.float32(LEAST))


@functools.cache
def _ab_smoothing():
    """What makes independent numbers of the bins smooth over a and b, each still of variance 1: (313, 313)."""
    squares = np.square(AB_BINS[:, None] - AB_BINS).sum(axis=-1)
    kernel = np.exp(-squares / (2 * AB_SMOOTHNESS**2))
    return kernel / np.sqrt(np.square(kernel).sum(axis=0))


def _waves(turns):
    """Cosines and sines over the bins, whose random sums have the variance 1: (2 HARMONICS, bins)."""
    angles = 2 * np.pi * turns * (np.arange(HISTOGRAM_BINS) + 0.5) / HISTOGRAM_BINS
    waves = [wave(number * angles) for number in range(1, HARMONICS + 1) for wave in (np.cos, np.sin)]
    return np.stack(waves) / HARMONICS**0.5


_HUE_WAVES = _waves(turns=1)
_CHROMA_WAVES = _waves(turns=0.5)  # chroma does not come round
