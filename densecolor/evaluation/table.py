"""The comparison on screen."""

import rich.box
import rich.table
import rich.text

from densecolor.evaluation.measures import GRAYSCALE
from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.measures import TRUTH

_ARROWS = {HIGHER: " ↑", LOWER: " ↓"}


def comparison_table(evaluation):
    """One column a system: means and half their confidence intervals; the notes as caption.

    Args:
        evaluation: Evaluation.

    Returns:
        `rich.table.Table`.
    """
    systems = [*evaluation.systems, TRUTH]
    table = rich.table.Table(
        box=rich.box.SIMPLE_HEAD, pad_edge=False, caption="\n".join(evaluation.notes()), caption_justify="left"
    )
    table.add_column("", no_wrap=True)
    for system in systems:
        table.add_column(rich.text.Text(system), justify="right", overflow="fold")
    for name, measure in MEASURES.items():
        summaries = [evaluation.results[system][name] for system in systems]
        if any(summary.count for summary in summaries):
            table.add_row(_label(measure), *(_cell(summary, measure.decimals) for summary in summaries))
        if name == "psnr":
            gains = [evaluation.psnr_gains.get(system, {}).get(GRAYSCALE) for system in systems]
            table.add_row("Gain on gray, dB ↑", *(_cell(gain, measure.decimals, "+") for gain in gains))
    return table


def _label(measure):
    unit = f", {measure.unit}" if measure.unit else ""
    return f"{measure.heading}{unit}{_ARROWS.get(measure.better, '')}"


def _cell(summary, decimals, sign=""):
    if summary is None or summary.mean is None:
        return ""
    cell = rich.text.Text(f"{summary.mean:{sign}.{decimals}f}")
    if summary.low is not None:
        cell.append(f" ±{(summary.high - summary.low) / 2:.{decimals}f}", style="dim")
    return cell
