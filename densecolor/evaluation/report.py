"""The report folder: figures of merit as JSON and CSV, and two drawings."""

import contextlib
import csv
import json
import os
import tempfile
from pathlib import Path

from densecolor.errors import DensecolorError
from densecolor.evaluation import figures
from densecolor.evaluation.measures import Row
from densecolor.evaluation.result import FORMAT

METRICS = "metrics.json"
PER_IMAGE = "per_image.csv"
PICTURES = "pictures.png"
INFO_LOSS = "info_loss.png"
FILES = (PER_IMAGE, PICTURES, INFO_LOSS, METRICS)  # metrics.json last: where it is, the report is whole


@contextlib.contextmanager
def claimed_folder(folder):
    """Make sure, before any work, that a folder can take a report: it is new, empty, or holds an earlier report.

    A context manager. A new folder is made at once, and removed again if the work in the context fails.

    Args:
        folder: Path.

    Raises:
        DensecolorError: it holds something else, which would be mixed up with the report.
        OSError: it cannot be made, or not be written to.
    """
    if folder.exists() and not folder.is_dir():
        raise DensecolorError(f"The report needs a folder, and {folder} is a file. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not _holds_report(folder):
        raise DensecolorError(f"{folder} is not empty and holds no report of densecolor. Choose another folder.")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # someone else has put something there
            for path in made:
                path.rmdir()
        raise


def write_report(evaluation, systems, examples, folder):
    """Write the four files of a report; each appears whole, and replaces that of an earlier report.

    Args:
        evaluation: Evaluation.
        systems: list of System; the models among them are drawn.
        examples: dict of title to Picture, to be drawn.
        folder: a `claimed_folder`.
    """
    models = [system for system in systems if system.about["kind"] == "model"]
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as partial:
        partial = Path(partial)
        _write_rows(evaluation.rows, partial / PER_IMAGE)
        figures.save(figures.draw_pictures(examples, models), partial / PICTURES)
        figures.save(figures.draw_info_loss(evaluation), partial / INFO_LOSS)
        (partial / METRICS).write_text(evaluation.to_json(), encoding="utf-8")
        for name in FILES:
            os.replace(partial / name, folder / name)


def _write_rows(rows, path):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(["" if value != value else value for value in row] for row in rows)  # NaN: no value


def _holds_report(folder):
    try:
        return json.loads((folder / METRICS).read_text(encoding="utf-8"))["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        return False
