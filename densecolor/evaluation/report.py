"""The report folder: a page to read, and its parts as files."""

import contextlib
import json
import os
import tempfile
from pathlib import Path

from densecolor.errors import DensecolorError
from densecolor.evaluation import figures
from densecolor.evaluation import formats
from densecolor.evaluation.gallery import choose_pictures
from densecolor.evaluation.gallery import show
from densecolor.evaluation.page import as_page
from densecolor.evaluation.result import FORMAT

PAGE = "index.html"
METRICS = "metrics.json"
PER_IMAGE = "per_image.csv"
PICTURES = "pictures.png"
INFO_LOSS = "info_loss.png"
TABLES = {"table.md": formats.as_markdown, "table.csv": formats.as_csv, "table.tex": formats.as_latex}


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


def write_report(evaluation, comparison, folder):
    """Write the files of a report; each appears whole, and replaces that of an earlier report.

    Args:
        evaluation: Evaluation.
        comparison: what was measured, for pictures to show.
        folder: a `claimed_folder`.

    Raises:
        OSError: a file cannot be written; an earlier report is untouched.
    """
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as partial:
        partial = Path(partial)
        formats.write_rows(evaluation.figures, partial / PER_IMAGE)
        examples = {title: show(comparison, place) for title, place in evaluation.examples().items()}
        figures.save(figures.draw_pictures(examples), partial / PICTURES)
        if "info_loss" in evaluation.measures:
            figures.save(figures.draw_info_loss(evaluation), partial / INFO_LOSS)
        page = as_page(evaluation, choose_pictures(evaluation, comparison))
        (partial / PAGE).write_text(page, encoding="utf-8")
        for name, text in TABLES.items():
            (partial / name).write_text(text(evaluation), encoding="utf-8")
        written = sorted(path.name for path in partial.iterdir())
        (partial / METRICS).write_text(evaluation.to_json(), encoding="utf-8")
        for name in (*written, METRICS):  # metrics.json last: where it is, the report is whole
            os.replace(partial / name, folder / name)


def _holds_report(folder):
    try:
        return json.loads((folder / METRICS).read_text(encoding="utf-8"))["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        return False
