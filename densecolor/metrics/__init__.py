"""Figures of merit of one colorized picture: NumPy arrays in, one number out, no Keras.

No figure is to be read alone: PSNR and SSIM reward a timid gray, and an entropy can be won by coloured noise.

| function | between | range | better |
|---|---|---|---|
| `psnr` | sRGB | dB, up to infinity for equal pictures | higher |
| `ssim` | sRGB | [-1, 1] | higher |
| `mae`, `rmse` | sRGB | [0, 1] | lower |
| `info_loss`, `joint_info_loss` | ab | [0, 16] bits | lower |
| `colorfulness` | one sRGB picture | from 0 (gray) to about 110 | close to the truth's |
| `mean_chroma` | one picture's ab | from 0 (gray) | close to the truth's |
"""

from densecolor.metrics.chroma import colorfulness
from densecolor.metrics.chroma import mean_chroma
from densecolor.metrics.entropy import ab_entropy
from densecolor.metrics.entropy import info_loss
from densecolor.metrics.entropy import joint_ab_entropy
from densecolor.metrics.entropy import joint_info_loss
from densecolor.metrics.pixels import mae
from densecolor.metrics.pixels import psnr
from densecolor.metrics.pixels import rmse
from densecolor.metrics.structure import ssim

__all__ = [
    "ab_entropy",
    "colorfulness",
    "info_loss",
    "joint_ab_entropy",
    "joint_info_loss",
    "mae",
    "mean_chroma",
    "psnr",
    "rmse",
    "ssim",
]
