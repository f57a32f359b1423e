"""The figures of a report, drawn through matplotlib's objects: no global state, no display."""

import itertools
import math

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import MEAN_COLOUR
from densecolor.metrics import psnr

DPI = 200
TILE = 1.75  # inches, the side of one picture
KEY_LENGTH = 34  # letters under one picture
# Okabe and Ito's colours, told apart by colour-blind readers too.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
SMALL, NORMAL = 7, 9  # points


def draw_pictures(examples):
    """Gray input, predictions and truth side by side, a row for each example.

    Args:
        examples: dict of title ("best", ...) to `densecolor.evaluation.gallery.Shown`.

    Returns:
        matplotlib Figure.
    """
    systems = list(next(iter(examples.values())).predictions)
    columns = ["gray input", *systems, "truth"]
    figure = _figure(len(columns) * TILE + 0.2, len(examples) * (TILE + 0.2) + 0.2)
    axes = figure.subplots(len(examples), len(columns), squeeze=False)
    for row, (title, shown) in zip(axes, examples.items(), strict=True):
        _show(row[0], shown.gray, _decibels(shown.truth, shown.gray))
        row[0].set_ylabel(title, fontsize=NORMAL)
        for place, system in zip(row[1:-1], systems, strict=True):
            _show(place, shown.predictions[system], _decibels(shown.truth, shown.predictions[system]))
        _show(row[-1], shown.truth, _shorten(shown.key))
    for place, column in zip(axes[0], columns, strict=True):
        place.set_title(column, fontsize=NORMAL, parse_math=False)
    return figure


def draw_info_loss(evaluation):
    """How often each information loss occurs, a curve for each system (figure 7 of Zhang N. et al., 2019).

    Args:
        evaluation: Evaluation.

    Returns:
        matplotlib Figure.
    """
    curves = {name: evaluation.columns[name]["info_loss"] for name in evaluation.systems}
    # One colour has no entropy whichever it is, so the two baselines share a curve.
    constant = curves.pop(MEAN_COLOUR)
    del curves[GRAYSCALE]
    figure = _figure(4.6, 3.0)
    axes = figure.subplots()
    bins = min(60, 10 + int(np.sqrt(len(constant))))
    edges = np.linspace(0, max(1, *(values.max() for values in (constant, *curves.values()))), bins + 1)
    for (name, values), colour in zip(curves.items(), itertools.cycle(COLOURS)):
        _plot_frequencies(axes, edges, values, name, color=colour, linewidth=1.8)
    _plot_frequencies(axes, edges, constant, f"{GRAYSCALE}, {MEAN_COLOUR}", color="0.4", linestyle="--")
    axes.set_xlabel("information loss (bits)", fontsize=NORMAL)
    axes.set_ylabel(f"pictures per {edges[1]:.2f} bits", fontsize=NORMAL)
    axes.tick_params(labelsize=SMALL)
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)
    axes.spines[["top", "right"]].set_visible(False)
    for text in axes.legend(frameon=False, fontsize=SMALL).get_texts():
        text.set_parse_math(False)  # a "$" in a name is no formula
    return figure


def _plot_frequencies(axes, edges, values, name, **style):
    counts, _ = np.histogram(values, edges)
    axes.plot((edges[:-1] + edges[1:]) / 2, counts, label=f"{name} (mean {values.mean():.2f})", **style)


def save(figure, path):
    """Write a figure as PNG."""
    figure.savefig(path, dpi=DPI, metadata={"Software": "densecolor"})


def _figure(width, height):
    figure = Figure((width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _show(axes, rgb, caption):
    axes.imshow(rgb, interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.set_xlabel(caption, fontsize=SMALL, labelpad=2, parse_math=False)


def _decibels(truth, rgb):
    decibels = psnr(truth, rgb)
    return "equal" if decibels == math.inf else f"{decibels:.2f} dB"


def _shorten(key):
    """The end of a key, which names the picture."""
    return key if len(key) <= KEY_LENGTH else f"…{key[1 - KEY_LENGTH :]}"
