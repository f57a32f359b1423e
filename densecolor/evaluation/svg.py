"""Line charts as SVG for a page: colours come from the page's style, so that they suit light, dark and paper."""

import html
import math
from typing import NamedTuple

WIDTH, HEIGHT = 640, 300  # units of the picture, which the page scales
LEFT, RIGHT, TOP, BOTTOM = 78, 12, 14, 52
COLOURS = 6  # that the page's style knows, "s0" to "s5"
_DASHES = ("", "7 3", "2 3", "9 3 2 3")


class Curve(NamedTuple):
    """One line of a chart."""

    name: str
    x: list
    y: list
    style: str  # class of the page's style: "s0" and so on, "truth" or "baseline"
    dashes: str = ""


def system_style(place):
    """(class, dashes) of the system at a place; told apart without colours too."""
    return f"s{place % COLOURS}", _DASHES[place % len(_DASHES)]


def line_chart(title, x_label, y_label, curves, log=False):
    """A chart of curves with a legend under it.

    Args:
        title: what readers that see no picture are told.
        x_label, y_label: axes, with units.
        curves: list of Curve.
        log: logarithmic y, where values of 0 or less are not drawn.

    Returns:
        str, a `<figure>`.
    """
    xs = [x for curve in curves for x in curve.x] or [0, 1]
    ys = [y for curve in curves for y in curve.y if not log or y > 0] or [1]
    x_axis = _Axis(min(xs), max(xs), LEFT, WIDTH - RIGHT)
    y_low = math.floor(math.log10(min(ys))) if log else min(0, *ys)
    y_high = math.ceil(math.log10(max(ys))) if log else max(ys)
    y_axis = _Axis(y_low, y_high if y_high > y_low else y_low + 1, HEIGHT - BOTTOM, TOP)
    lines = [_grid(x_axis, y_axis, log), _labels(x_label, y_label)]
    lines += [_polyline(curve, x_axis, y_axis, log) for curve in curves]
    drawing = "\n".join(lines)
    legend = "".join(
        f'<span class="key"><svg class="swatch" viewBox="0 0 28 8" aria-hidden="true"><path class="{curve.style}" '
        f'stroke-dasharray="{curve.dashes}" d="M0 4H28"/></svg>{html.escape(curve.name)}</span>'
        for curve in curves
    )
    return (
        f'<figure class="chart"><svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img"><title>{html.escape(title)}</title>'
        f"{drawing}</svg><figcaption>{html.escape(title)}<div>{legend}</div></figcaption></figure>"
    )


class _Axis:
    def __init__(self, low, high, start, end):
        self.low, self.high = low, high if high > low else low + 1
        self._start, self._end = start, end

    def place(self, value):
        return self._start + (self._end - self._start) * (value - self.low) / (self.high - self.low)

    def ticks(self, about=6):
        """Round numbers inside the axis."""
        rough = (self.high - self.low) / about
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _grid(x_axis, y_axis, log):
    parts = []
    for value in x_axis.ticks():
        x = x_axis.place(value)
        parts.append(f'<text class="tick" x="{x:.1f}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{value:g}</text>')
    ticks = range(math.ceil(y_axis.low), math.floor(y_axis.high) + 1) if log else y_axis.ticks(4)
    for value in ticks:
        y = y_axis.place(value)
        label = (f"{10.0**value:g}" if value > -3 else f"1e{value}") if log else f"{value:g}"
        parts.append(f'<path class="grid" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>')
        parts.append(f'<text class="tick" x="{LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    return "".join(parts)


def _labels(x_label, y_label):
    middle = (TOP + HEIGHT - BOTTOM) / 2
    return (
        f'<text class="label" x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">'
        f"{html.escape(x_label)}</text>"
        f'<text class="label" transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">'
        f"{html.escape(y_label)}</text>"
    )


def _polyline(curve, x_axis, y_axis, log):
    """The line, broken where a logarithm does not exist."""
    runs, run = [], []
    for x, y in zip(curve.x, curve.y, strict=True):
        if log and y <= 0:
            runs, run = [*runs, run], []
        else:
            run.append(f"{x_axis.place(x):.1f} {y_axis.place(math.log10(y) if log else y):.1f}")
    path = "".join(f"M{'L'.join(points)}" for points in [*runs, run] if points)
    return f'<path class="line {curve.style}" stroke-dasharray="{curve.dashes}" d="{path}"/>'
