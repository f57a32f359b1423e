"""Pies and intervals as SVG, in colours that the colour-blind tell apart."""

import html
import math

YES, NO = "#0072b2", "#e69f00"
_RADIUS = 70
_PIE_WIDTH, _PIE_HEIGHT = 160, 232  # of one pie with its texts
_ROW, _LABEL, _WIDTH = 30, 170, 640


def pies(shares, yes, no):
    """A row of pies, one a share.

    Args:
        shares: dict of name to `densecolor.study.results.Share`.
        yes, no: what the two slices are.

    Returns:
        str, an `<svg>` that stands alone.
    """
    parts = [_slices(name, share, (place + 0.5) * _PIE_WIDTH) for place, (name, share) in enumerate(shares.items())]
    for row, (colour, text) in enumerate(((YES, yes), (NO, no))):
        top = _PIE_HEIGHT + 4 + 24 * row
        parts.append(f'<rect x="8" y="{top}" width="14" height="14" fill="{colour}"/>')
        parts.append(f'<text x="30" y="{top + 12}">{html.escape(text)}</text>')
    told = "; ".join(f"{name}: {share.count} of {share.of} {yes}" for name, share in shares.items())
    return _svg(max(_PIE_WIDTH * len(shares), 260), _PIE_HEIGHT + 50, told, parts)


def pie(name, share, yes):
    """One of `pies` without the legend."""
    return _svg(
        _PIE_WIDTH, _PIE_HEIGHT, f"{name}: {share.count} of {share.of} {yes}", [_slices(name, share, _PIE_WIDTH / 2)]
    )


def intervals(estimates, low, high, ticks, label, reference=None):
    """Dots with their intervals, one below the other.

    Args:
        estimates: dict of name to Estimate.
        low, high: ends of the axis.
        ticks: values that the axis names.
        label: of the axis.
        reference: value of a dashed line, or None.

    Returns:
        str, an `<svg>`.
    """

    def x(value):
        share = (min(max(value, low), high) - low) / (high - low)
        return round(_LABEL + share * (_WIDTH - _LABEL - 24), 1)

    bottom = _ROW * len(estimates) + 10
    parts = []
    for tick in ticks:
        parts.append(f'<line class="grid" x1="{x(tick)}" x2="{x(tick)}" y1="0" y2="{bottom}"/>')
        parts.append(f'<text x="{x(tick)}" y="{bottom + 18}" text-anchor="middle">{tick:g}</text>')
    if reference is not None:
        ends = f'x1="{x(reference)}" x2="{x(reference)}" y1="0" y2="{bottom}"'
        parts.append(f'<line class="reference" {ends} stroke-dasharray="5 4"/>')
    for place, (name, estimate) in enumerate(estimates.items()):
        y = _ROW * place + _ROW / 2 + 5
        parts.append(f'<text class="name" x="{_LABEL - 12}" y="{y + 5}" text-anchor="end">{_short(name)}</text>')
        if estimate.low is not None:
            ends = f'x1="{x(estimate.low)}" x2="{x(estimate.high)}" y1="{y}" y2="{y}"'
            parts.append(f'<line stroke="{YES}" stroke-width="4" stroke-linecap="round" {ends}/>')
        if estimate.value is not None:
            parts.append(f'<circle cx="{x(estimate.value)}" cy="{y}" r="6" fill="{YES}"/>')
    middle = (_LABEL + _WIDTH) / 2
    parts.append(f'<text x="{middle}" y="{bottom + 46}" text-anchor="middle">{html.escape(label)}</text>')
    return _svg(_WIDTH, bottom + 56, label, parts, "intervals")


def _slices(name, share, x):
    y = _RADIUS + 26
    below = y + _RADIUS + 22
    title = f'<text class="name" x="{x}" y="16" text-anchor="middle">{_short(name)}</text>'
    if not share.of:
        empty = f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="none" stroke="#888"/>'
        return f'{title}{empty}<text x="{x}" y="{below}" text-anchor="middle">nothing asked</text>'
    part = share.count / share.of
    slices = f'<circle cx="{x}" cy="{y}" r="{_RADIUS}" fill="{YES if part == 1 else NO}"/>'
    if 0 < part < 1:
        end_x, end_y = x + _RADIUS * math.sin(2 * math.pi * part), y - _RADIUS * math.cos(2 * math.pi * part)
        arc = f"A{_RADIUS} {_RADIUS} 0 {int(part > 0.5)} 1 {end_x:.2f} {end_y:.2f}"
        slices += f'<path fill="{YES}" d="M{x} {y}L{x} {y - _RADIUS}{arc}Z"/>'
    interval = f"{100 * share.estimate.low:.0f} to {100 * share.estimate.high:.0f} %"
    return (
        f'{title}{slices}<text class="name" x="{x}" y="{below}" text-anchor="middle">{100 * part:.0f} %</text>'
        f'<text x="{x}" y="{below + 19}" text-anchor="middle">{interval}</text>'
        f'<text x="{x}" y="{below + 37}" text-anchor="middle">{share.count} of {share.of}</text>'
    )


def _short(name, longest=19):
    return html.escape(name if len(name) <= longest else f"{name[: longest - 1]}…")


def _svg(width, height, told, parts, kind="pies"):
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'class="{kind}" role="img" aria-label="{html.escape(told)}" fill="#666" font-size="14" '
        f'font-family="system-ui, sans-serif">{"".join(parts)}</svg>\n'
    )
