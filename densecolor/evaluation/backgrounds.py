"""The medical evaluation: a foreground on plain backgrounds, and inside its mask.

Zhang Z., Li Y., Shin B.-S., "Robust Medical Image Colorization with Spatial Mask-Guided Generative Adversarial
Network", Bioengineering 9(12), 2022, reports MAE, PSNR and SSIM on black, on white, and their average.
"""

import math
import re

from densecolor import metrics
from densecolor.errors import DensecolorError
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.measures import Measure
from densecolor.metrics.structure import WINDOW

COLOURS = {"black": (0, 0, 0), "white": (255, 255, 255), "gray": (128, 128, 128)}
AVERAGE, INSIDE = "average", "inside"
_METRICS = {"mae": metrics.mae, "psnr": metrics.psnr, "ssim": metrics.ssim}


def background_measures(names):
    """The measures of a foreground on plain backgrounds.

    Args:
        names: list of backgrounds, or one string of them with commas: black, white, gray, or #rrggbb (sRGB).

    Returns:
        dict of name to Measure: `mae_on_black` and so on, for several backgrounds also `mae_on_average`, and
        `mae_inside`; the same of psnr and ssim. NaN for pictures without a foreground.

    Raises:
        DensecolorError: a name is no background, or comes twice.
    """
    names = [name.strip() for name in (names.split(",") if isinstance(names, str) else names)]
    if not names:
        return {}
    colours = {name.lstrip("#"): _colour(name) for name in names}
    if len(colours) < len(names):
        raise DensecolorError(f"A background comes twice in {', '.join(names)}. Name each once.")
    chosen = {}
    for metric in _METRICS:
        for name, colour in colours.items():
            chosen[f"{metric}_on_{name}"] = _on(metric, name, colour)
        if len(colours) > 1:
            chosen[f"{metric}_on_{AVERAGE}"] = _on_average(metric, list(colours.values()))
    return chosen | {f"{metric}_{INSIDE}": _inside(metric) for metric in _METRICS}


def _colour(name):
    if name in COLOURS:
        return COLOURS[name]
    if not re.fullmatch("#[0-9a-fA-F]{6}", name):
        raise DensecolorError(f"{name!r} is no background. Choose from {', '.join(COLOURS)}, or write it as #rrggbb.")
    return tuple(bytes.fromhex(name[1:]))


def _on(metric, name, colour):
    definition = f"{metric} with the background painted {name} by the mask, in the truth and in the prediction"
    return _like(metric, f"on {name}", definition, lambda pair: _value(metric, colour, pair))


def _on_average(metric, colours):
    def average(pair):
        return sum(_value(metric, colour, pair) for colour in colours) / len(colours)

    return _like(metric, f"on {AVERAGE}", f"mean over the backgrounds of {metric} on each", average)


def _inside(metric):
    return _like(
        metric,
        "in mask",
        f"{metric} over the foreground alone, weighted by the mask",
        lambda pair: pair.inside[metric] if _is_judged(metric, pair) else math.nan,
    )


def _value(metric, colour, pair):
    if not _is_judged(metric, pair):
        return math.nan
    return _METRICS[metric](pair.true.on(colour), pair.pred.on(colour))


def _is_judged(metric, pair):
    return pair.has_foreground and min(pair.true.rgb.shape[:2]) >= WINDOW


def _like(metric, suffix, definition, compute):
    plain = MEASURES[metric]
    return Measure(
        f"{plain.heading} {suffix}",
        plain.unit,
        plain.better,
        plain.decimals,
        f"{definition}; pictures without a foreground are left out",
        compute,
        needs_colour=plain.needs_colour,
        min_side=WINDOW,
    )
