"""The comparison as text: the cells, and the table on screen."""

from typing import NamedTuple

import rich.box
import rich.table
import rich.text

from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import TRUTH

VALUE, GAIN, P = "value", "gain", "p"
NARROW = 5  # systems from which half intervals stand under their means, to fit 80 columns
ARROWS = {HIGHER: " ↑", LOWER: " ↓"}


class TableRow(NamedTuple):
    """One line of a table."""

    measure: str  # its name
    kind: str  # VALUE, GAIN or P
    heading: str
    cells: list  # for each system and the truth (value, half interval) as str, "" where there is none


def table_rows(evaluation):
    """Everything that a table shows, whatever it is printed on.

    Args:
        evaluation: Evaluation.

    Yields:
        TableRow.
    """
    systems = [*evaluation.systems, TRUTH]
    for name, measure in evaluation.measures.items():
        if measure.pooled:
            pooled = [evaluation.pooled.get(system, {}).get(name) for system in systems]
            cells = [("" if value is None else f"{value:.{measure.decimals}f}", "") for value in pooled]
            yield TableRow(name, VALUE, _label(measure), cells)
            continue
        summaries = [evaluation.results[system][name] for system in systems]
        if any(summary.count for summary in summaries):
            yield TableRow(name, VALUE, _label(measure), [_cell(summary, measure.decimals) for summary in summaries])
        tests = [evaluation.tests.get(system, {}).get(name) for system in systems]
        if any(test is not None and test.p_holm is not None for test in tests):
            cells = [("" if test is None else probability(test.p_holm), "") for test in tests]
            yield TableRow(name, P, f"p, against {evaluation.about['against']}", cells)
        if name == "psnr":
            gains = [evaluation.psnr_gains.get(system, {}).get(GRAYSCALE) for system in systems]
            yield TableRow(name, GAIN, "Gain on gray, dB ↑", [_cell(gain, measure.decimals, "+") for gain in gains])


def comparison_table(evaluation):
    """One column a system: means and half their confidence intervals; the notes as caption.

    Args:
        evaluation: Evaluation.

    Returns:
        `rich.table.Table`.
    """
    table = rich.table.Table(
        box=rich.box.SIMPLE_HEAD, pad_edge=False, caption="\n".join(evaluation.notes()), caption_justify="left"
    )
    table.add_column("", no_wrap=True)
    for system in [*evaluation.systems, TRUTH]:
        table.add_column(rich.text.Text(system), justify="right", overflow="fold")
    separator = " " if len(evaluation.systems) < NARROW else "\n"
    for row in table_rows(evaluation):
        indent = "  " if row.kind == P else ""
        table.add_row(rich.text.Text(indent + row.heading), *(_text(*cell, separator) for cell in row.cells))
    return table


def probability(p):
    """A p-value in a few letters.

    Example:
        >>> probability(0.0312), probability(1e-9), probability(None)
        ('0.031', '<0.001', '')
    """
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _label(measure):
    unit = f", {measure.unit}" if measure.unit else ""
    return f"{measure.heading}{unit}{ARROWS.get(measure.better, '')}"


def _cell(summary, decimals, sign=""):
    if summary is None or summary.mean is None:
        return "", ""
    half = "" if summary.low is None else f"{(summary.high - summary.low) / 2:.{decimals}f}"
    return f"{summary.mean:{sign}.{decimals}f}", half


def _text(value, half, separator):
    text = rich.text.Text(value)
    if half:
        text.append(f"{separator}±{half}", style="dim")
    return text
