"""What `evaluate` returns: rows, their summary, a table and JSON."""

import dataclasses
import functools
import json

import numpy as np

from densecolor.evaluation import paired
from densecolor.evaluation import statistics
from densecolor.evaluation.known import measure_named
from densecolor.evaluation.measures import HIGHER
from densecolor.evaluation.measures import LOWER
from densecolor.evaluation.names import GRAYSCALE
from densecolor.evaluation.names import TRUTH
from densecolor.evaluation.notes import notes_on
from densecolor.evaluation.paired import paired_tests
from densecolor.evaluation.rows import Figures
from densecolor.evaluation.table import comparison_table

FORMAT = "densecolor-evaluation"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The figures of all pictures and systems.

    Attributes:
        rows: list of Row, or Figures; each picture has one of every system and one of the truth, in the same order.
        about: dict, where the rows come from: versions, data and systems.
        pooled: `pooled[system][measure]`, figures of all pictures together.
        ab_counts: int64 (1 + systems, 2, 256), how often each a and b occurs, the truth's first; or None.
    """

    rows: object
    about: dict
    pooled: dict = dataclasses.field(default_factory=dict)
    ab_counts: object = None

    @property
    def systems(self):
        """Names of the systems, models first, then the baselines."""
        return list(self.about["systems"])

    @functools.cached_property
    def figures(self):
        """The rows as `Figures`."""
        return Figures.of(self.rows)

    @functools.cached_property
    def measures(self):
        """Dict of name to Measure of what was measured, pooled measures too."""
        pooled = [name for of_system in self.pooled.values() for name in of_system]
        return {name: measure_named(name) for name in (*self.figures.measures, *dict.fromkeys(pooled))}

    @functools.cached_property
    def columns(self):
        """Figures as arrays over the pictures: `columns[system][measure]`; `columns["truth"]` too."""
        figures = self.figures
        return {
            system: {measure: figures.column(system, measure) for measure in figures.measures}
            for system in (*self.systems, TRUTH)
        }

    @property
    def keys(self):
        """Keys of the pictures, in the order of the columns."""
        return self.figures.keys

    @functools.cached_property
    def colorless(self):
        """Bool array over the pictures: the truth is gray itself, so gray is a perfect answer.

        Without PSNR among the measures nothing depends on it, and it is False.
        """
        if "psnr" not in self.figures.measures:
            return np.zeros(len(self.keys), bool)
        return np.isinf(self.columns[GRAYSCALE]["psnr"])

    @functools.cached_property
    def equal_pairs(self):
        """By system, how many pictures that have colour it hits exactly (infinite PSNR)."""
        if "psnr" not in self.figures.measures:
            return {}
        return {name: int((np.isinf(self.columns[name]["psnr"]) & ~self.colorless).sum()) for name in self.systems}

    def judged(self, system, measure):
        """One column, NaN for pictures that the measure leaves out; infinities stay."""
        values = self.columns[system][measure]
        return np.where(self.colorless, np.nan, values) if self.measures[measure].needs_colour else values

    @functools.cached_property
    def results(self):
        """`statistics.Summary` by system (the truth too) and measure.

        PSNR is over the pictures whose truth has colour, so that all systems are judged by the same ones.
        """
        flat = {
            (system, measure): self.judged(system, measure)
            for system in self.columns
            for measure in self.figures.measures
        }
        return _nested(statistics.summarize(flat))

    @functools.cached_property
    def psnr_gains(self):
        """`psnr_gains[system][other]`: summary of the differences in PSNR, system minus other, picture by picture.

        Only pictures where both are finite; the interval is much narrower than those of the two means, since the
        same pictures are easy or hard for both.
        """
        differences = {}
        if "psnr" not in self.figures.measures:
            return differences
        for system in self.systems:
            for other in self.systems:
                if system != other:
                    with np.errstate(invalid="ignore"):  # infinite minus infinite: left out
                        difference = self.columns[system]["psnr"] - self.columns[other]["psnr"]
                    differences[system, other] = difference
        return _nested(statistics.summarize(differences))

    @functools.cached_property
    def tests(self):
        """`tests[system][measure]`: `paired.Test` of each system against `about["against"]`; empty without it."""
        against = self.about.get("against")
        return paired_tests(self, against) if against else {}

    @functools.cached_property
    def leading(self):
        """The measure that ranks pictures: PSNR where it was measured, else the first with a direction."""
        directed = [name for name in self.figures.measures if self.measures[name].better in (HIGHER, LOWER)]
        return "psnr" if "psnr" in directed else (directed or self.figures.measures)[0]

    def ranked(self, system=None):
        """Places of the pictures with colour from best to worst, by the leading measure of a system (the first)."""
        candidates = np.flatnonzero(~self.colorless) if not self.colorless.all() else np.arange(len(self.keys))
        values = self.columns[system or self.systems[0]][self.leading][candidates]
        sign = 1 if self.measures[self.leading].better == LOWER else -1
        return candidates[np.argsort(sign * values, kind="stable")]

    def examples(self):
        """Best, median and worst picture by the first model's PSNR, among those that have colour.

        Returns:
            dict of "best", "median" and "worst" to the place of the picture.
        """
        ranked = self.ranked()
        return {"best": int(ranked[0]), "median": int(ranked[len(ranked) // 2]), "worst": int(ranked[-1])}

    def notes(self):
        """What must be known to read the figures, in sentences."""
        return notes_on(self)

    def to_json(self):
        """Everything but the rows, as JSON text."""
        document = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            **self.about,
            "statistics": {
                "interval": f"percentile bootstrap of the mean, {statistics.CONFIDENCE} %",
                "resamples": statistics.RESAMPLES,
                "seed": statistics.SEED,
            },
            "measures": {
                name: {"unit": measure.unit, "better": measure.better, "definition": measure.definition}
                for name, measure in self.measures.items()
            },
            "colorless_pictures": int(self.colorless.sum()),
            "equal_pairs": self.equal_pairs,
            "notes": self.notes(),
            "results": _as_dicts(self.results),
            "pooled": self.pooled,
            "psnr_gains": _as_dicts(self.psnr_gains),
            "tests": {"test": paired.DEFINITION, "results": _as_dicts(self.tests)},
        }
        return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    def table(self):
        """The figures as a `rich` table: means, and half their confidence intervals."""
        return comparison_table(self)


def _nested(flat):
    """{(system, measure): summary} as {system: {measure: summary}}."""
    nested = {}
    for (outer, inner), value in flat.items():
        nested.setdefault(outer, {})[inner] = value
    return nested


def _as_dicts(nested):
    return {
        outer: {inner: summary._asdict() for inner, summary in summaries.items()} for outer, summaries in nested.items()
    }
