"""The results of a study as tables for the terminal."""

import rich.markup
import rich.table

from densecolor.study.questions import SCALES
from densecolor.study.questions import TITLES
from densecolor.study.report import figure
from densecolor.study.report import percent


def as_tables(results):
    """Tables of what was asked.

    Args:
        results: `densecolor.study.results.Results`.

    Returns:
        list of rich.table.Table.
    """
    tables = []
    if results.recognised.of:
        rows = [(name, percent(share.estimate), share.of) for name, share in results.taken_for_photographs.items()]
        tables.append(_table("Turing test", ["", "taken for a photograph", "answers"], rows))
    if results.first_chosen.of:
        tables.append(_pairs(results))
    if any(count for scales in results.ratings.values() for count, _ in scales.values()):
        rows = [
            (version, *(figure(scales[scale.name][1]) for scale in SCALES), scales[SCALES[0].name][0])
            for version, scales in results.ratings.items()
        ]
        tables.append(_table("Marks from 1 to 10", ["", *(scale.heading for scale in SCALES), "answers"], rows))
    rows = [(TITLES[name], "–" if alpha is None else f"{alpha:.2f}") for name, alpha in results.agreement.items()]
    return [*tables, _table("Agreement", ["", "Krippendorff's alpha"], rows)]


def _pairs(results):
    """Wins and strengths; a caption says why there are no strengths."""
    strengths, reason = results.strengths
    rows = []
    for row, version in enumerate(results.versions):
        won = [
            f"{count} of {count + results.wins[column][row]}" if column != row else ""
            for column, count in enumerate(results.wins[row])
        ]
        rows.append((version, *won, "–" if strengths is None else figure(strengths[row])))
    head = ["row preferred to column", *results.versions, "Bradley-Terry strength"]
    return _table("Pairs", head, rows, f"No strengths: {reason}." if strengths is None else None)


def _table(title, head, rows, caption=None):
    table = rich.table.Table(title=title, title_justify="left", caption=caption, caption_justify="left")
    for place, heading in enumerate(head):
        table.add_column(heading, justify="right" if place else "left")
    for row in rows:
        table.add_row(*map(rich.markup.escape, map(str, row)))
    return table
