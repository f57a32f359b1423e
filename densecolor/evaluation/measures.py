"""What is measured on every picture and system, and what each figure means."""

import math
from collections.abc import Callable
from typing import NamedTuple

from densecolor import metrics
from densecolor.errors import DensecolorError
from densecolor.metrics.structure import GAUSSIAN_WINDOW
from densecolor.metrics.structure import WINDOW

HIGHER, LOWER, CLOSE = "higher", "lower", "close to the truth's"
CCI_RANGE = (16, 20)
DEFAULT, ALL = "default", "all"


class Measure(NamedTuple):
    """How to compute, to print and to read one figure of a `Row`."""

    heading: str
    unit: str
    better: str
    decimals: int
    definition: str
    of_pair: Callable | None  # function of Pair; None where a network or the pooled pixels say it
    of_truth: Callable | None = None  # function of Side: what the truth itself has
    by_default: bool = True
    needs_colour: bool = False  # infinite for gray where the truth is gray: such pictures are left out
    min_side: int = 1  # pixels
    pooled: bool = False  # one figure for all pictures together


_SHOWN = "of the 8-bit sRGB picture (models: the true lightness, predicted ab brought into the gamut at the same hue)"
_LAB = "of the Lab values of both 8-bit sRGB pictures, mean over the pixels"


def _accuracy(pair):
    judged = pair.class_index is not None and pair.picture.label >= 0
    return float(pair.class_index == pair.picture.label) if judged else math.nan


def _in_cci_range(colorfulness):
    return float(CCI_RANGE[0] <= colorfulness <= CCI_RANGE[1])


def _similarity(window, metric, heading, definition, **options):
    return Measure(
        heading,
        "",
        HIGHER,
        3,
        f"{definition}, mean over R, G and B, {_SHOWN}",
        lambda pair: pair.at_least(window, metric),
        min_side=window,
        **options,
    )


MEASURES = {
    "psnr": Measure(
        "PSNR",
        "dB",
        HIGHER,
        2,
        f"10 log10(255^2 / mean squared error), {_SHOWN}; pictures whose truth has no colour, and equal pairs "
        "(infinite), are left out of mean, median and interval",
        lambda pair: metrics.psnr(pair.true.rgb, pair.pred.rgb),
        needs_colour=True,
    ),
    "ssim": _similarity(
        WINDOW, metrics.ssim, "SSIM", "7 x 7 uniform window, sample covariance, data range 255, as scikit-image"
    ),
    "mae": Measure(
        "MAE",
        "",
        LOWER,
        3,
        f"mean absolute error with white at 1, {_SHOWN}",
        lambda pair: metrics.mae(pair.true.rgb, pair.pred.rgb),
    ),
    "rmse": Measure(
        "RMSE",
        "",
        LOWER,
        3,
        f"root of the picture's mean squared error with white at 1, {_SHOWN}",
        lambda pair: metrics.rmse(pair.true.rgb, pair.pred.rgb),
    ),
    "info_loss": Measure(
        "Info loss",
        "bits",
        LOWER,
        2,
        "|entropy of the true ab - entropy of the predicted ab|, the entropies of a and of b added, over 256 bins of "
        "width 1, base 2; predicted ab clipped to [-128, 127], before any gamut mapping",
        lambda pair: abs(pair.true.entropies[0] - pair.pred.entropies[0]),
    ),
    "joint_info_loss": Measure(
        "Joint loss",
        "bits",
        LOWER,
        2,
        "info_loss with the entropy of the pairs (a, b), over 256 x 256 bins",
        lambda pair: abs(pair.true.entropies[1] - pair.pred.entropies[1]),
    ),
    "colorfulness": Measure(
        "Colourfulness",
        "",
        CLOSE,
        1,
        f"Hasler and Suesstrunk 2003 (also called CCI), {_SHOWN}",
        lambda pair: pair.pred.colorfulness,
        lambda side: side.colorfulness,
    ),
    "colorfulness_gap": Measure(
        "Colourfulness gap",
        "",
        LOWER,
        1,
        "|colourfulness of the truth - colourfulness of the prediction|",
        lambda pair: abs(pair.true.colorfulness - pair.pred.colorfulness),
    ),
    "cci_ratio": Measure(
        "CCI in 16 to 20",
        "",
        HIGHER,
        3,
        "share of the pictures whose colourfulness lies in [16, 20], which SCGAN (Zhao et al., 2021) takes as good; "
        "it asks nothing of the truth",
        lambda pair: _in_cci_range(pair.pred.colorfulness),
        lambda side: _in_cci_range(side.colorfulness),
    ),
    "mean_chroma": Measure(
        "Chroma",
        "Lab",
        CLOSE,
        1,
        "mean of sqrt(a^2 + b^2); predicted ab clipped to [-128, 127]",
        lambda pair: metrics.mean_chroma(pair.pred.ab),
        lambda side: metrics.mean_chroma(side.ab),
    ),
    "accuracy": Measure(
        "Own class top-1",
        "",
        HIGHER,
        3,
        "share of the labelled pictures whose class the model itself predicts",
        _accuracy,
    ),
    "ssim_gaussian": _similarity(
        GAUSSIAN_WINDOW,
        metrics.ssim_gaussian,
        "SSIM (tf.image)",
        "11 x 11 Gaussian window of sigma 1.5, population covariance, data range 255, as tf.image.ssim",
        by_default=False,
    ),
    "ssim_range2": _similarity(
        WINDOW,
        lambda true, pred: metrics.ssim(true, pred, data_range=510),
        "SSIM (range 2)",
        "ssim with twice the data range, as the released evaluation of SCGAN (Zhao et al., 2021) has it",
        by_default=False,
    ),
    "ab_auc": Measure(
        "ab AuC",
        "",
        HIGHER,
        3,
        "area under the share of pixels whose ab lies within 0 to 150 of the truth's (Zhang R. et al., 2016), "
        "trapezoidal, 1 at best",
        lambda pair: metrics.ab_auc(pair.true.ab, pair.pred.ab),
        by_default=False,
    ),
    "ab_auc_rebalanced": Measure(
        "ab AuC, rebalanced",
        "",
        HIGHER,
        3,
        "ab_auc over the pixels of all pictures together, each weighted by 1 / (share of the nearest of 313 ab bins to "
        "its true colour); the shares are those of the pictures measured",
        None,
        by_default=False,
        pooled=True,
    ),
    "delta_e76": Measure(
        "Delta E 76",
        "",
        LOWER,
        2,
        f"distance {_LAB}",
        lambda pair: metrics.delta_e76(pair.true.lab, pair.pred.lab),
        by_default=False,
    ),
    "ciede2000": Measure(
        "CIEDE2000",
        "",
        LOWER,
        2,
        f"CIE colour difference of 2000 {_LAB}",
        lambda pair: metrics.ciede2000(pair.true.lab, pair.pred.lab),
        by_default=False,
    ),
    "cni": Measure(
        "Naturalness (CNI)",
        "",
        HIGHER,
        3,
        f"colour naturalness index of Huang et al. 2006, {_SHOWN}",
        lambda pair: metrics.cni(pair.pred.rgb),
        lambda side: metrics.cni(side.rgb),
        by_default=False,
    ),
    "color_bleeding": Measure(
        "Bleeding",
        "",
        LOWER,
        3,
        "share of the change of colour across strong lightness edges (10 L a pixel) that lies 2 to 6 pixels from the "
        "edge; densecolor's own definition, in densecolor.metrics.color_bleeding; at best the truth's",
        lambda pair: metrics.color_bleeding(pair.pred.lightness, pair.pred.ab),
        lambda side: metrics.color_bleeding(side.lightness, side.ab),
        by_default=False,
    ),
}


def choose(names=DEFAULT):
    """The measures that are asked for.

    Args:
        names: "default", "all", or a list of names or one string of them with commas; "default" may be among them.

    Returns:
        dict of name to Measure, in the order of `MEASURES`.

    Raises:
        DensecolorError: a name is unknown, or no measure is of single pictures.

    Example:
        >>> list(choose("psnr,cni"))
        ['psnr', 'cni']
    """
    names = names.split(",") if isinstance(names, str) else list(names)
    names = [name.strip() for name in names]
    unknown = [name for name in names if name not in MEASURES and name not in (DEFAULT, ALL)]
    if unknown or not any(names):
        raise DensecolorError(
            f"There is no measure {unknown[0] if unknown else ''!r}. Choose from default, all, {', '.join(MEASURES)}."
        )
    chosen = {
        name: measure
        for name, measure in MEASURES.items()
        if name in names or ALL in names or (DEFAULT in names and measure.by_default)
    }
    if all(measure.pooled for measure in chosen.values()):
        raise DensecolorError(
            f"{', '.join(chosen)} is of all pictures together and tells none apart. Add a measure of single pictures, "
            "such as psnr."
        )
    return chosen
