"""Figures of merit of one colorized picture: NumPy arrays in, one number out, no Keras.

No figure is to be read alone: PSNR and SSIM reward a timid gray, and an entropy can be won by coloured noise.

| function | between | range | better |
|---|---|---|---|
| `psnr` | sRGB | dB, up to infinity for equal pictures | higher |
| `ssim` (as scikit-image), `ssim_gaussian` (as tf.image) | sRGB | [-1, 1] | higher |
| `mae`, `rmse` | sRGB | [0, 1] | lower |
| `info_loss`, `joint_info_loss` | ab | [0, 16] bits | lower |
| `ab_auc`, `rebalanced_ab_auc` | ab | [0, 1] | higher |
| `delta_e76`, `ciede2000` | Lab | from 0 (equal) | lower |
| `colorfulness` (CCI) | one sRGB picture | from 0 (gray) to about 110 | close to the truth's |
| `mean_chroma` | one picture's ab | from 0 (gray) | close to the truth's |
| `cni` | one sRGB picture | [0, 1] | higher |
| `color_bleeding` | one picture's L and ab | [0, 1] | lower, at best the truth's |

`composite` and `masked_errors` compare a foreground; `frechet_distance` compares two sets of features. Keras metrics
for use in training are in `keras_info_loss` and `keras_ab_auc`, which are not imported from here.
"""

from densecolor.metrics.ab_accuracy import ab_accuracy_curve
from densecolor.metrics.ab_accuracy import ab_auc
from densecolor.metrics.ab_accuracy import ab_auc_by_bin
from densecolor.metrics.ab_accuracy import rebalanced_ab_auc
from densecolor.metrics.bleeding import color_bleeding
from densecolor.metrics.chroma import colorfulness
from densecolor.metrics.chroma import mean_chroma
from densecolor.metrics.color_difference import ciede2000
from densecolor.metrics.color_difference import delta_e76
from densecolor.metrics.entropy import ab_entropies
from densecolor.metrics.entropy import ab_entropy
from densecolor.metrics.entropy import ab_histogram
from densecolor.metrics.entropy import entropies_of
from densecolor.metrics.entropy import info_loss
from densecolor.metrics.entropy import joint_ab_entropy
from densecolor.metrics.entropy import joint_info_loss
from densecolor.metrics.frechet import FeatureMoments
from densecolor.metrics.frechet import frechet_distance
from densecolor.metrics.masked import composite
from densecolor.metrics.masked import masked_errors
from densecolor.metrics.naturalness import cni
from densecolor.metrics.pixels import mae
from densecolor.metrics.pixels import psnr
from densecolor.metrics.pixels import rmse
from densecolor.metrics.structure import ssim
from densecolor.metrics.structure import ssim_gaussian
from densecolor.metrics.structure import ssim_map

__all__ = [
    "FeatureMoments",
    "ab_accuracy_curve",
    "ab_auc",
    "ab_auc_by_bin",
    "ab_entropies",
    "ab_entropy",
    "ab_histogram",
    "ciede2000",
    "cni",
    "color_bleeding",
    "colorfulness",
    "composite",
    "delta_e76",
    "entropies_of",
    "frechet_distance",
    "info_loss",
    "joint_ab_entropy",
    "joint_info_loss",
    "mae",
    "masked_errors",
    "mean_chroma",
    "psnr",
    "rebalanced_ab_auc",
    "rmse",
    "ssim",
    "ssim_gaussian",
    "ssim_map",
]
