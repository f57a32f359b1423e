"""What `evaluate` returns: rows, their summary, a table and JSON."""

import dataclasses
import functools
import json

import numpy as np

from densecolor.evaluation import statistics
from densecolor.evaluation.measures import GRAYSCALE
from densecolor.evaluation.measures import MEAN_COLOUR
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.measures import TRUTH
from densecolor.evaluation.table import comparison_table

FORMAT = "densecolor-evaluation"
FORMAT_VERSION = 1


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """The figures of all pictures and systems.

    Attributes:
        rows: list of Row; each picture has one of every system and one of the truth, in the same order.
        about: dict, where the rows come from: versions, data and systems.
    """

    rows: list
    about: dict

    @property
    def systems(self):
        """Names of the systems, models first, then the baselines."""
        return list(self.about["systems"])

    @functools.cached_property
    def columns(self):
        """Figures as arrays over the pictures: `columns[system][measure]`; `columns["truth"]` too."""
        grouped = {name: [] for name in (*self.systems, TRUTH)}
        for row in self.rows:
            grouped[row.system].append(row)
        return {
            system: {measure: np.array([getattr(row, measure) for row in rows]) for measure in MEASURES}
            for system, rows in grouped.items()
        }

    @functools.cached_property
    def keys(self):
        """Keys of the pictures, in the order of the columns."""
        return [row.key for row in self.rows if row.system == TRUTH]

    @functools.cached_property
    def colorless(self):
        """Bool array over the pictures: the truth is gray itself, so gray is a perfect answer."""
        return np.isinf(self.columns[GRAYSCALE]["psnr"])

    @functools.cached_property
    def equal_pairs(self):
        """By system, how many pictures that have colour it hits exactly (infinite PSNR)."""
        return {name: int((np.isinf(self.columns[name]["psnr"]) & ~self.colorless).sum()) for name in self.systems}

    @functools.cached_property
    def results(self):
        """`statistics.Summary` by system (the truth too) and measure.

        PSNR is over the pictures whose truth has colour, so that all systems are judged by the same ones.
        """
        flat = {}
        for system, measures in self.columns.items():
            for measure, values in measures.items():
                flat[system, measure] = np.where(self.colorless, np.nan, values) if measure == "psnr" else values
        return _nested(statistics.summarize(flat))

    @functools.cached_property
    def psnr_gains(self):
        """`psnr_gains[system][other]`: summary of the differences in PSNR, system minus other, picture by picture.

        Only pictures where both are finite; the interval is much narrower than those of the two means, since the
        same pictures are easy or hard for both.
        """
        differences = {}
        for system in self.systems:
            for other in self.systems:
                if system != other:
                    with np.errstate(invalid="ignore"):  # infinite minus infinite: left out
                        difference = self.columns[system]["psnr"] - self.columns[other]["psnr"]
                    differences[system, other] = difference
        return _nested(statistics.summarize(differences))

    def examples(self):
        """Best, median and worst picture by the first model's PSNR, among those that have colour.

        Returns:
            dict of "best", "median" and "worst" to the place of the picture.
        """
        candidates = np.flatnonzero(~self.colorless) if not self.colorless.all() else np.arange(len(self.keys))
        psnr = self.columns[self.systems[0]]["psnr"][candidates]
        ranked = candidates[np.argsort(-psnr, kind="stable")]
        return {"best": int(ranked[0]), "median": int(ranked[len(ranked) // 2]), "worst": int(ranked[-1])}

    def notes(self):
        """What must be known to read the figures, in sentences."""
        data = self.about["data"]
        mean = self.about["systems"][MEAN_COLOUR]
        notes = [
            f"{data['pictures']} of {data['pictures_in_split']} pictures of split {data['split']} of {data['name']}, "
            f"{data['image_size']} x {data['image_size']}. ± is half the {statistics.CONFIDENCE} % bootstrap "
            f"interval of the mean ({statistics.RESAMPLES} resamples, seed {statistics.SEED}); "
            "the gain on gray is PSNR minus grayscale's, picture by picture.",
            f"Mean colour: a = {mean['ab'][0]:.1f}, b = {mean['ab'][1]:.1f}, of {mean['pictures']} pictures of "
            f"split {mean['from_split']}.",
        ]
        if self.colorless.any():
            notes.append(
                f"{int(self.colorless.sum())} pictures have no colour; gray equals them exactly, so they are left out "
                "of every PSNR."
            )
        for system, count in self.equal_pairs.items():
            if count:
                notes.append(
                    f"{system} equals the truth on {count} pictures that have colour (infinite PSNR); they are left "
                    "out of its PSNR."
                )
        return notes

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
                for name, measure in MEASURES.items()
            },
            "colorless_pictures": int(self.colorless.sum()),
            "equal_pairs": self.equal_pairs,
            "notes": self.notes(),
            "results": _as_dicts(self.results),
            "psnr_gains": _as_dicts(self.psnr_gains),
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
