"""The report of a study: a page that needs no network, and its parts as files."""

import json
import math
import os
import tempfile
from pathlib import Path

import densecolor
from densecolor.errors import StudyError
from densecolor.errors import require_package
from densecolor.study import charts
from densecolor.study import questions
from densecolor.study.answers import as_csv

FORMAT = "densecolor-study-results"
PAGE = "index.html"
RESULTS = "results.json"
ANSWERS = "answers.csv"
PIES = "turing.svg"
_YES, _NO = "taken for a photograph", "taken for colorized by a machine"


def write_report(results, folder, command=None):
    """Write the files of a report; each appears whole, and replaces that of an earlier report.

    Args:
        results: `densecolor.study.results.Results`.
        folder: Path; new, empty, or with an earlier report of a study.
        command: what made it, or None.

    Raises:
        StudyError: the folder holds something else, or the extra is missing.
        OSError: a file cannot be written.
    """
    jinja2 = require_package("jinja2", "study")
    if folder.exists() and not folder.is_dir():
        raise StudyError(f"The report needs a folder, and {folder} is a file. Choose another name.")
    if folder.is_dir() and any(folder.iterdir()) and not _holds_report(folder):
        raise StudyError(f"{folder} is not empty and holds no report of a study. Choose another folder.")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("densecolor.study"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "figure": figure}
    shares = results.taken_for_photographs
    page = environment.get_template("results.html").render(
        results=results,
        wording=questions,
        pies=[charts.pie(name, share, _YES) for name, share in shares.items()],
        legend=((charts.YES, _YES), (charts.NO, _NO)),
        strengths=_strengths(results),
        ratings=_ratings(results),
        command=command,
        version=densecolor.__version__,
        origin=json.dumps(results.about, indent=1, ensure_ascii=False),
    )
    texts = {
        PIES: charts.pies(shares, _YES, _NO),
        PAGE: page,
        ANSWERS: as_csv(results.answers, results.excluded),
        RESULTS: results.to_json(),
    }
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".report-", dir=folder) as partial:
        for name, text in texts.items():
            (Path(partial) / name).write_text(text, encoding="utf-8")
        for name in texts:  # results.json last: where it is, the report is whole
            os.replace(Path(partial) / name, folder / name)


def percent(estimate):
    """An estimate of a share with its interval, in words."""
    if estimate.value is None:
        return "–"
    return f"{100 * estimate.value:.1f}\N{NO-BREAK SPACE}% ({100 * estimate.low:.1f} to {100 * estimate.high:.1f})"


def figure(estimate):
    """An estimate of a mark or a strength with its interval, in words."""
    if estimate.value is None:
        return "–"
    ends = "" if estimate.low is None else f" ({estimate.low:.2f} to {estimate.high:.2f})"
    return f"{estimate.value:.2f}{ends}"


def _holds_report(folder):
    try:
        return json.loads((folder / RESULTS).read_text(encoding="utf-8"))["format"] == FORMAT
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _strengths(results):
    found = results.strengths.strengths
    if found is None:
        return None
    ends = [abs(end) for estimate in found for end in (estimate.low, estimate.high)]
    edge = max(1, math.ceil(max(ends)))
    step = max(1, round(edge / 5))
    ticks = range(-edge // step * step, edge + 1, step)
    estimates = dict(zip(results.versions, found, strict=True))
    shown = [tick for tick in ticks if -edge <= tick <= edge]
    return charts.intervals(estimates, -edge, edge, shown, "strength (log odds; 0 is the average)", reference=0)


def _ratings(results):
    """Charts by heading; empty where nothing was rated."""
    if not any(count for scales in results.ratings.values() for count, _ in scales.values()):
        return {}
    drawn = {}
    for scale in questions.SCALES:
        means = {version: scales[scale.name][1] for version, scales in results.ratings.items()}
        label = f"1: {scale.low}, 10: {scale.high}"
        drawn[scale.heading] = charts.intervals(means, questions.LOWEST, questions.HIGHEST, range(1, 11), label)
    return drawn
