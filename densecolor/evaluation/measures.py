"""What is measured on every picture and system, and what each figure means."""

import math
from typing import NamedTuple

from densecolor import metrics
from densecolor.evaluation.pictures import to_rgb

GRAYSCALE = "grayscale"
MEAN_COLOUR = "mean colour"
TRUTH = "truth"  # stands in the rows as a system that has only what needs no comparison


class Row(NamedTuple):
    """All figures of one picture under one system: the unit that workers may send and anyone may merge.

    NaN where a figure does not apply.
    """

    key: str
    system: str
    psnr: float
    ssim: float
    mae: float
    rmse: float
    info_loss: float
    joint_info_loss: float
    colorfulness: float
    mean_chroma: float
    accuracy: float


class Measure(NamedTuple):
    """How to print and to read one figure of a `Row`."""

    heading: str
    unit: str
    better: str
    decimals: int
    definition: str


_OF_SRGB = "of the 8-bit sRGB picture with the true lightness, predicted ab brought into the gamut at the same hue"
HIGHER, LOWER, CLOSE = "higher", "lower", "close to the truth's"
MEASURES = {
    "psnr": Measure(
        "PSNR",
        "dB",
        HIGHER,
        2,
        f"10 log10(255^2 / mean squared error), {_OF_SRGB}; pictures whose truth has no colour, and equal pairs "
        "(infinite), are left out of mean, median and interval",
    ),
    "ssim": Measure("SSIM", "", HIGHER, 3, f"7 x 7 uniform window, mean over R, G and B, {_OF_SRGB}"),
    "mae": Measure("MAE", "", LOWER, 3, f"mean absolute error with white at 1, {_OF_SRGB}"),
    "rmse": Measure("RMSE", "", LOWER, 3, f"root of the picture's mean squared error with white at 1, {_OF_SRGB}"),
    "info_loss": Measure(
        "Info loss",
        "bits",
        LOWER,
        2,
        "|entropy of the true ab - entropy of the predicted ab|, the entropies of a and of b added, over 256 bins of "
        "width 1, base 2; predicted ab clipped to [-128, 127], before any gamut mapping",
    ),
    "joint_info_loss": Measure(
        "Joint loss", "bits", LOWER, 2, "info_loss with the entropy of the pairs (a, b), over 256 x 256 bins"
    ),
    "colorfulness": Measure("Colourfulness", "", CLOSE, 1, f"Hasler and Suesstrunk 2003, {_OF_SRGB}"),
    "mean_chroma": Measure("Chroma", "Lab", CLOSE, 1, "mean of sqrt(a^2 + b^2); predicted ab clipped to [-128, 127]"),
    "accuracy": Measure(
        "Top-1", "", HIGHER, 3, "share of the labelled pictures whose most probable class is the label"
    ),
}


def measure_truth(picture, rgb_true):
    """The `Row` of the picture itself."""
    figures = dict.fromkeys(MEASURES, math.nan)
    figures["colorfulness"] = metrics.colorfulness(rgb_true)
    figures["mean_chroma"] = metrics.mean_chroma(picture.ab)
    return Row(picture.key, TRUTH, **figures)


def measure_picture(system, picture, rgb_true, ab, class_index=None):
    """Compare what a system makes of a picture with the picture.

    Args:
        system: the system's name.
        picture: Picture.
        rgb_true: sRGB uint8 (S, S, 3), the picture itself.
        ab: float32 (S, S, 2), the predicted a and b, in [-128, 127].
        class_index: the predicted class, None where the system predicts none.

    Returns:
        Row.
    """
    rgb = to_rgb(picture.lightness, ab)
    judged = class_index is not None and picture.label >= 0
    return Row(
        key=picture.key,
        system=system,
        psnr=metrics.psnr(rgb_true, rgb),
        ssim=metrics.ssim(rgb_true, rgb),
        mae=metrics.mae(rgb_true, rgb),
        rmse=metrics.rmse(rgb_true, rgb),
        info_loss=metrics.info_loss(picture.ab, ab),
        joint_info_loss=metrics.joint_info_loss(picture.ab, ab),
        colorfulness=metrics.colorfulness(rgb),
        mean_chroma=metrics.mean_chroma(ab),
        accuracy=float(class_index == picture.label) if judged else math.nan,
    )
