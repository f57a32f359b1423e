"""The report as one HTML page that needs nothing else: no network, no other file, no script."""

import base64
import html
import json

import cv2
import numpy as np

from densecolor.color import srgb_to_lab
from densecolor.evaluation.charts import draw_charts
from densecolor.evaluation.classes import LISTED
from densecolor.evaluation.classes import class_means
from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.names import TRUTH
from densecolor.evaluation.page_style import STYLE
from densecolor.evaluation.table import P
from densecolor.evaluation.table import table_rows
from densecolor.metrics import psnr

MAX_SIDE = 256  # pixels of a picture on the page
PNG_SIDE = 96  # up to here pictures stay exact; larger ones become JPEG
ERROR_RANGE = 60.0  # Lab units of ab that the error map's brightest colour stands for


def as_page(evaluation, gallery):
    """The page.

    Args:
        evaluation: Evaluation.
        gallery: list of (title, explanation, list of `densecolor.evaluation.gallery.Shown`).

    Returns:
        str, HTML.
    """
    name = html.escape(evaluation.about["data"]["name"])
    sections = [
        f"<header><h1>Colorization of {name}</h1>{_lead(evaluation)}</header>",
        f"<h2>Figures</h2>{_table(evaluation)}{_list(evaluation.notes())}",
        f'<h2>How figures and colours are spread</h2><div class="charts">{"".join(draw_charts(evaluation))}</div>',
        f"<h2>Pictures</h2>{_error_note()}{''.join(_gallery(evaluation, *part) for part in gallery)}",
        _classes(evaluation),
        _definitions(evaluation),
        _origin(evaluation),
    ]
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>densecolor: evaluation on {name}</title><style>{STYLE}</style></head><body>\n{body}\n"
        "</body></html>\n"
    )


def _lead(evaluation):
    data = evaluation.about["data"]
    models = evaluation.systems[:-2]
    split = f", split {html.escape(data['split'])}" if data.get("split") else ""
    return (
        f'<p class="soft">{len(evaluation.keys):,} pictures{split}. '
        f"{', '.join(map(html.escape, models))}; beside them gray and the mean colour, which any system should "
        "beat.</p>"
    )


def _table(evaluation):
    systems = [*evaluation.systems, TRUTH]
    head = "".join(f'<th scope="col">{html.escape(system)}</th>' for system in systems)
    rows = []
    for row in table_rows(evaluation):
        marked = () if row.kind == P else _best(evaluation, row.measure)
        cells = "".join(
            _cell(*cell, "best" if system in marked and cell[0] else "")
            for system, cell in zip(systems, row.cells, strict=True)
        )
        kind = ' class="p"' if row.kind == P else ""
        rows.append(f'<tr{kind}><th scope="row">{html.escape(row.heading)}</th>{cells}</tr>')
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="Figures"><table><thead><tr><th></th>{head}</tr>'
        f"</thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _best(evaluation, name):
    """The systems with the best mean, if there is a direction and they differ."""
    measure = evaluation.measures[name]
    if measure.better not in (HIGHER, LOWER):
        return ()
    if measure.pooled:
        means = {system: evaluation.pooled.get(system, {}).get(name) for system in evaluation.systems}
    else:
        means = {system: evaluation.results[system][name].mean for system in evaluation.systems}
    means = {system: mean for system, mean in means.items() if mean is not None}
    if len(set(means.values())) < 2:
        return ()
    target = (max if measure.better == HIGHER else min)(means.values())
    return [system for system, mean in means.items() if mean == target]


def _cell(value, half, kind):
    kind = f' class="{kind}"' if kind else ""
    half = f" <small>±{half}</small>" if half else ""
    return f"<td{kind}>{html.escape(value)}{half}</td>"


def _list(items):
    return "<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in items) + "</ul>"


def _error_note():
    ramp = _image(np.tile(_heat(np.linspace(0, ERROR_RANGE, 64))[None], (4, 1, 1)), "", "ramp")
    return (
        f'<p class="soft">Under each prediction its error map: the distance of a and b from the truth, from 0 {ramp} '
        f"to {ERROR_RANGE:.0f} Lab units or more.</p>"
    )


def _gallery(evaluation, title, explanation, pictures):
    rows = "".join(_row(shown) for shown in pictures)
    return f'<h3>{html.escape(title)}</h3><p class="soft">{html.escape(explanation)}</p>{rows}' if pictures else ""


def _row(shown):
    figures = [_figure(_image(shown.gray, "input"), "input", _decibels(shown.truth, shown.gray))]
    for system, rgb in shown.predictions.items():
        images = _image(rgb, system) + _image(error_map(shown.truth, rgb), f"error of {system}")
        figures.append(_figure(images, system, _decibels(shown.truth, rgb)))
    figures.append(_figure(_image(shown.truth, "truth"), "truth", shown.key))
    return f'<div class="pictures row">{"".join(figures)}</div>'


def _figure(images, name, caption):
    return f"<figure>{images}<figcaption><b>{html.escape(name)}</b><br>{html.escape(caption)}</figcaption></figure>"


def _decibels(truth, rgb):
    value = psnr(truth, rgb)
    return "equal" if value == float("inf") else f"{value:.2f} dB"


def error_map(truth, rgb):
    """Distance of a and b of two sRGB pictures as colours, from black to yellow; uint8 (H, W, 3)."""
    difference = srgb_to_lab(truth)[..., 1:] - srgb_to_lab(rgb)[..., 1:]
    return _heat(np.sqrt(np.square(difference).sum(axis=-1)))


def _heat(distance):
    levels = np.clip(np.atleast_2d(distance) * (255 / ERROR_RANGE), 0, 255).astype(np.uint8)
    heat = cv2.applyColorMap(levels, cv2.COLORMAP_INFERNO)[..., ::-1]
    return heat[0] if np.ndim(distance) == 1 else heat


def _image(rgb, description, kind=""):
    height, width = rgb.shape[:2]
    scale = MAX_SIDE / max(height, width)
    if scale < 1:
        size = max(1, round(width * scale)), max(1, round(height * scale))
        rgb = cv2.resize(np.ascontiguousarray(rgb), size, interpolation=cv2.INTER_AREA)
    small = max(rgb.shape[:2]) <= PNG_SIDE
    suffix, mime, options = (".png", "png", []) if small else (".jpg", "jpeg", [cv2.IMWRITE_JPEG_QUALITY, 90])
    _, data = cv2.imencode(suffix, np.ascontiguousarray(rgb[..., ::-1]), options)
    kind = kind or ("pixels" if small else "")
    return (
        f'<img class="{kind}" width="{rgb.shape[1]}" height="{rgb.shape[0]}" alt="{html.escape(description)}" '
        f'src="data:image/{mime};base64,{base64.b64encode(data).decode()}">'
    )


def _classes(evaluation):
    measure = evaluation.measures[evaluation.leading]
    tables = []
    for system in evaluation.systems[:-2]:
        means = class_means(evaluation, system)
        if len(means) < 2:
            continue
        chosen = means if len(means) <= 2 * LISTED else [*means[:LISTED], None, *means[-LISTED:]]
        rows = "".join(
            "<tr><th>…</th><td></td><td></td></tr>"
            if of is None
            else f'<tr><th scope="row">{html.escape(of.name)}</th><td>{of.mean:.{measure.decimals}f}</td>'
            f"<td>{of.count}</td></tr>"
            for of in chosen
        )
        head = f'<th></th><th scope="col">{html.escape(measure.heading)}</th><th scope="col">pictures</th>'
        tables.append(
            f'<div><h3>{html.escape(system)}</h3><div class="scroll"><table><thead><tr>{head}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div></div>"
        )
    if not tables:
        return ""
    return f'<h2>Classes, best and worst</h2><div class="charts">{"".join(tables)}</div>'


def _definitions(evaluation):
    items = "".join(
        f"<dt>{html.escape(measure.heading)}{', ' + measure.unit if measure.unit else ''}</dt>"
        f"<dd>{html.escape(measure.definition)}. Better: {html.escape(measure.better)}.</dd>"
        for measure in evaluation.measures.values()
    )
    return f"<details><summary>What each figure means</summary><dl>{items}</dl></details>"


def _origin(evaluation):
    about = evaluation.about
    made = {key: about[key] for key in ("versions", "data", "systems", "networks", "left_out") if about.get(key)}
    text = json.dumps(made, indent=2, ensure_ascii=False)
    command = about.get("command")
    command = f"<p>Made by</p><pre>{html.escape(command)}</pre>" if command else ""
    return (
        f"<h2>Where this comes from</h2>{command}<details><summary>Versions, data and systems with their "
        f"checksums</summary><pre>{html.escape(text)}</pre></details>"
        "<footer><p>Every number stands in metrics.json, every picture in per_image.csv, beside this page.</p></footer>"
    )
