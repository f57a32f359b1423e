"""An evaluation's table as Markdown, CSV and LaTeX, and its rows as CSV."""

import csv
import io

from densecolor.evaluation.names import TRUTH
from densecolor.evaluation.table import table_rows

_TEX = {
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}", "\\": r"\textbackslash{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$",
    "<": r"$<$",
}  # fmt: skip


def as_markdown(evaluation):
    """The table and the notes under it, str."""
    lines = [["", *evaluation.systems, TRUTH], ["---", *["---:"] * (len(evaluation.systems) + 1)]]
    lines += [[row.heading, *map(_joined, row.cells)] for row in table_rows(evaluation)]
    table = ["| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines]
    return "\n".join([*table, "", *(f"- {note}" for note in evaluation.notes())]) + "\n"


def as_latex(evaluation):
    """A `tabular` for the `booktabs` package, the notes as comments, str."""
    rows = [[row.heading, *map(_joined, row.cells)] for row in table_rows(evaluation)]
    lines = ["% " + note.replace("\n", " ") for note in evaluation.notes()]
    lines += [r"\begin{tabular}{l" + "r" * (len(evaluation.systems) + 1) + "}", r"\toprule"]
    lines += [_tex_row(["", *evaluation.systems, TRUTH]), r"\midrule", *map(_tex_row, rows), r"\bottomrule"]
    return "\n".join([*lines, r"\end{tabular}"]) + "\n"


def as_csv(evaluation):
    """One line a system and measure with all that is known of it, str."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    tested = ("p", "p_holm")
    writer.writerow(["system", "measure", "unit", "better", "count", "mean", "median", "low", "high", *tested])
    for system in (*evaluation.systems, TRUTH):
        for name, measure in evaluation.measures.items():
            line = [system, name, measure.unit, measure.better]
            if measure.pooled:
                value = evaluation.pooled.get(system, {}).get(name)
                writer.writerow([*line, "", value, "", "", "", "", ""])
                continue
            test = evaluation.tests.get(system, {}).get(name)
            writer.writerow([*line, *evaluation.results[system][name], *((test.p, test.p_holm) if test else ("", ""))])
    return file.getvalue()


def write_rows(rows, path):
    """Every picture's figures as CSV: one line a picture and system; empty where a figure does not apply.

    Args:
        rows: Figures.
        path: of the file.
    """
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["key", "system", "label", *rows.measures])
        for key, system, figures, label in rows:
            values = ["" if value != value else value for value in figures.values()]  # NaN: no value
            writer.writerow([key, system, label if label >= 0 else "", *values])


def _joined(cell):
    value, half = cell
    return f"{value} ±{half}" if half else value


def _tex_row(cells):
    return " & ".join("".join(_TEX.get(letter, letter) for letter in cell) for cell in cells) + r" \\"
