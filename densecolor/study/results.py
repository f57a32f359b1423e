"""What the answers of a study say."""

import dataclasses
import itertools
import json
from pathlib import Path

import densecolor
from densecolor.errors import StudyError
from densecolor.study.agreement import krippendorff_alpha
from densecolor.study.answers import Answer
from densecolor.study.answers import Turnout
from densecolor.study.answers import failed_checks
from densecolor.study.answers import read_answers
from densecolor.study.answers import read_turnout
from densecolor.study.bradley_terry import Strengths
from densecolor.study.bradley_terry import bradley_terry
from densecolor.study.database import check_study
from densecolor.study.database import connect
from densecolor.study.intervals import Estimate
from densecolor.study.intervals import clustered_mean
from densecolor.study.intervals import wilson
from densecolor.study.questions import FIRST
from densecolor.study.questions import PAIR
from densecolor.study.questions import PHOTOGRAPH
from densecolor.study.questions import RATING
from densecolor.study.questions import SCALES
from densecolor.study.questions import TRUTH
from densecolor.study.questions import TURING
from densecolor.study.report import FORMAT
from densecolor.study.report import write_report

FORMAT_VERSION = 1
ALL_SYSTEMS = "all systems"


@dataclasses.dataclass(frozen=True)
class Share:
    """How many of how many, with Wilson's interval."""

    count: int
    of: int
    estimate: Estimate

    @classmethod
    def among(cls, hits):
        """The share of true values in a list of bool."""
        return cls(sum(hits), len(hits), wilson(sum(hits), len(hits)))

    def to_dict(self):
        """For JSON."""
        return {"count": self.count, "of": self.of, **self.estimate._asdict()}


@dataclasses.dataclass(frozen=True)
class Results:
    """What the answers of a study say; attention checks and excluded participants count in none of it.

    Attributes:
        about: dict of title, systems, options and version of the study.
        turnout: Turnout.
        excluded: dict of participant to the number of attention checks that were failed.
        allowed_failures: how many were allowed.
        taken_for_photographs: dict of system, "all systems" and "truth" to Share.
        recognised: Share of right answers in the Turing test.
        versions: names in the order of `wins`: truth and the systems.
        wins: list of lists; how often row was preferred to column.
        strengths: Strengths, in the order of `versions`.
        first_chosen: Share of pairs of which A was chosen; far from a half, position mattered.
        ratings: dict of version to dict of scale to (number of answers, Estimate).
        agreement: dict of "turing", "pair" and scales to Krippendorff's alpha, or None.
        answers: list of all Answer.
    """

    about: dict
    turnout: Turnout
    excluded: dict
    allowed_failures: int
    taken_for_photographs: dict
    recognised: Share
    versions: list
    wins: list
    strengths: Strengths
    first_chosen: Share
    ratings: dict
    agreement: dict
    answers: list[Answer]

    def to_json(self):
        """Everything but single answers, as JSON."""
        document = {"format": FORMAT, "format_version": FORMAT_VERSION, "study": self.about}
        document |= {"densecolor_version": densecolor.__version__, "turnout": self.turnout._asdict()}
        document["excluded"] = {"failures_allowed": self.allowed_failures, "failures": self.excluded}
        document["turing"] = {name: share.to_dict() for name, share in self.taken_for_photographs.items()}
        document["recognised"] = self.recognised.to_dict()
        strengths = self.strengths.strengths
        document["pairs"] = {
            "versions": self.versions,
            "wins": self.wins,
            "strengths": None if strengths is None else [estimate._asdict() for estimate in strengths],
            "no_strengths_because": self.strengths.reason or None,
            "first_chosen": self.first_chosen.to_dict(),
        }
        document["ratings"] = {
            version: {name: {"count": count, **mean._asdict()} for name, (count, mean) in scales.items()}
            for version, scales in self.ratings.items()
        }
        document["agreement"] = self.agreement
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def results(folder, report=None, allowed_failures=0, command=None):
    """Evaluate the answers that a study has so far; it may be served meanwhile.

    Args:
        folder: of the study.
        report: folder for a page, index.html, with results.json, answers.csv and turing.svg; new, empty, or with an
            earlier report of a study, which is replaced. None writes nothing.
        allowed_failures: participants who fail more attention checks than this are excluded.
        command: what the page names as the command that made it.

    Returns:
        Results.

    Raises:
        StudyError: there is no such study, nobody has answered, or `report` holds something else.

    Example:
        >>> densecolor.study.results("study").taken_for_photographs["ours"].estimate
        Estimate(value=0.31, low=0.25, high=0.38)
    """
    check_study(folder)
    with connect(folder) as connection:
        connection.execute("BEGIN")  # one moment's answers for all figures
        settings = dict(connection.execute("SELECT name, value FROM settings").fetchall())
        answers, turnout = read_answers(connection), read_turnout(connection)
        connection.execute("COMMIT")
    if not answers:
        raise StudyError(f"Nobody has answered {folder} yet. Serve it with densecolor-study serve {folder}.")
    about = {
        "title": settings["title"],
        "systems": json.loads(settings["systems"]),
        "options": json.loads(settings["options"]),
        "densecolor_version": settings["densecolor_version"],
        "folder": Path(folder).resolve().name,
    }
    evaluated = evaluate_answers(answers, about, turnout, allowed_failures)
    if report is not None:
        write_report(evaluated, Path(report), command)
    return evaluated


def evaluate_answers(answers, about, turnout, allowed_failures=0):
    """Results of answers; arguments as the attributes of `Results`."""
    excluded = {person: count for person, count in failed_checks(answers).items() if count > allowed_failures}
    counted = [answer for answer in answers if not answer.is_check and answer.participant not in excluded]
    kinds = {kind: [answer for answer in counted if answer.kind == kind] for kind in (TURING, PAIR, RATING)}
    versions = [TRUTH, *about["systems"]]
    wins = _count_wins(kinds[PAIR], versions)
    return Results(
        about=about,
        turnout=turnout,
        excluded=excluded,
        allowed_failures=allowed_failures,
        taken_for_photographs=_taken_for_photographs(kinds[TURING], about["systems"]),
        recognised=Share.among([(answer.choice == PHOTOGRAPH) == (answer.first == TRUTH) for answer in kinds[TURING]]),
        versions=versions,
        wins=wins,
        strengths=bradley_terry(wins),
        first_chosen=Share.among([answer.choice == FIRST for answer in kinds[PAIR]]),
        ratings={version: _rate(kinds[RATING], version) for version in versions},
        agreement=_agree(kinds, versions),
        answers=answers,
    )


def _taken_for_photographs(answers, systems):
    groups = {system: [system] for system in systems} | {ALL_SYSTEMS: systems, TRUTH: [TRUTH]}
    return {
        name: Share.among([answer.choice == PHOTOGRAPH for answer in answers if answer.first in group])
        for name, group in groups.items()
    }


def _count_wins(answers, versions):
    wins = [[0] * len(versions) for _ in versions]
    for answer in answers:
        beaten = answer.second if answer.chosen == answer.first else answer.first
        wins[versions.index(answer.chosen)][versions.index(beaten)] += 1
    return wins


def _rate(answers, version):
    rated = [answer for answer in answers if answer.first == version]
    people = [answer.participant for answer in rated]
    return {
        scale.name: (len(rated), clustered_mean([answer.marks[place] for answer in rated], people))
        for place, scale in enumerate(SCALES)
    }


def _agree(kinds, versions):
    """Krippendorff's alpha of each kind; of a pair it matters whether the one that stands earlier in `versions` won."""

    def earlier_won(answer):
        return answer.chosen == min(answer.first, answer.second, key=versions.index)

    photographs = _by_thing(kinds[TURING], lambda answer: answer.choice == PHOTOGRAPH)
    alphas = {
        TURING: krippendorff_alpha(photographs, "nominal"),
        PAIR: krippendorff_alpha(_by_thing(kinds[PAIR], earlier_won), "nominal"),
    }
    for place, scale in enumerate(SCALES):
        marks = _by_thing(kinds[RATING], lambda answer, place=place: answer.marks[place])
        alphas[scale.name] = krippendorff_alpha(marks, "interval")
    return alphas


def _by_thing(answers, value):
    """The answers' values, in one list for each picture or pair of pictures that was judged."""

    def thing(answer):
        return answer.scene, *sorted(filter(None, (answer.first, answer.second)))

    ordered = sorted(answers, key=thing)
    return [[value(answer) for answer in group] for _, group in itertools.groupby(ordered, key=thing)]
