import csv
import io
import itertools
import json
import math
import re

import pytest
import scipy.stats
from made_study import make_study
from made_study import rows

from densecolor import study
from densecolor.errors import DensecolorError
from densecolor.study.answers import Answer
from densecolor.study.answers import Turnout
from densecolor.study.database import connect
from densecolor.study.participation import give_consent
from densecolor.study.participation import store_answer
from densecolor.study.participation import withdraw
from densecolor.study.results import evaluate_answers

ABOUT = {"title": "Test", "systems": ["ours", "theirs"], "options": {}, "densecolor_version": "0", "folder": "study"}
NAMES = ("truth", "ours", "theirs")


def turing(person, scene, version, choice, expected=None):
    return Answer(person, 1, "turing", scene, version, None, choice, None, expected)


def pair(person, scene, first, second, choice):
    return Answer(person, 2, "pair", scene, first, second, choice, None, None)


def rating(person, scene, version, *marks, expected=None):
    return Answer(person, 3, "rating", scene, version, None, None, marks, expected)


def evaluate(answers, **options):
    return evaluate_answers(answers, ABOUT, Turnout(4, 3, 2, 0), **options)


def test_the_turing_test_by_hand():
    answers = [turing(1, f"a{n}", "truth", "photograph" if n < 7 else "machine") for n in range(10)]
    answers += [turing(1, f"b{n}", "ours", "photograph" if n < 3 else "machine") for n in range(8)]
    answers += [turing(2, f"c{n}", "theirs", "machine") for n in range(4)]
    found = evaluate(answers)
    shares = {name: (share.count, share.of) for name, share in found.taken_for_photographs.items()}
    assert shares == {"ours": (3, 8), "theirs": (0, 4), "all systems": (3, 12), "truth": (7, 10)}
    assert (found.recognised.count, found.recognised.of) == (7 + 5 + 4, 22)
    wilson = scipy.stats.binomtest(3, 8).proportion_ci(method="wilson")
    assert found.taken_for_photographs["ours"].estimate == pytest.approx((3 / 8, wilson.low, wilson.high))
    assert found.taken_for_photographs["theirs"].estimate.high == pytest.approx(1.96**2 / (4 + 1.96**2), abs=1e-4)


def test_pairs_by_hand():
    answers = [pair(1, f"a{n}", "truth", "ours", "first") for n in range(2)]  # truth, shown as A
    answers += [pair(1, f"b{n}", "ours", "truth", "second") for n in range(4)]  # truth, shown as B
    answers += [pair(2, f"c{n}", "ours", "truth", "first") for n in range(2)]  # ours
    found = evaluate(answers)
    assert found.versions == list(NAMES)
    assert found.wins == [[0, 6, 0], [2, 0, 0], [0, 0, 0]]
    assert (found.first_chosen.count, found.first_chosen.of) == (4, 8)
    assert found.strengths.strengths is None  # theirs was never shown
    answers += [pair(3, "d", "theirs", "ours", choice) for choice in ("first", "second")]
    answers += [pair(3, "e", "truth", "theirs", choice) for choice in ("first",) * 3 + ("second",)]
    truth, ours, theirs = evaluate(answers).strengths.strengths
    assert truth.value - ours.value == pytest.approx(math.log(3))  # 6 of 8 against ours and 3 of 4 against theirs
    assert ours.value == pytest.approx(theirs.value)  # 1 of 2 between them


def test_ratings_by_hand():
    answers = [rating(1, "a", "ours", 4, 10, 1), rating(1, "b", "ours", 6, 10, 1)]
    answers += [rating(2, "a", "ours", 8, 10, 2), rating(2, "c", "ours", 10, 10, 2)]
    scales = evaluate(answers).ratings["ours"]
    count, mean = scales["naturalness"]
    reference = scipy.stats.ttest_1samp([5, 9], 0).confidence_interval()
    assert count == 4
    assert mean == pytest.approx((7, reference.low, reference.high))
    assert scales["bleeding"][1] == (10, 10, 10)
    assert scales["colourfulness"][1].value == 1.5
    assert evaluate(answers).ratings["theirs"]["bleeding"] == (0, (None, None, None))


def test_agreement_by_hand():
    answers = [turing(person, "a", "ours", "machine") for person in (1, 2)]
    answers += [turing(person, "b", "ours", "photograph") for person in (1, 2)]
    answers += [turing(1, "c", "truth", "machine"), turing(2, "c", "truth", "photograph")]
    answers += [turing(1, "a", "truth", "machine"), turing(2, "b", "truth", "photograph")]  # seen by one each
    assert evaluate(answers).agreement["turing"] == pytest.approx(1 - (2 / 6) / 0.6)
    pairs = [pair(1, "a", "ours", "truth", "first"), pair(2, "a", "truth", "ours", "second")]  # both chose ours
    pairs += [pair(1, "b", "ours", "truth", "second"), pair(2, "b", "truth", "ours", "first")]  # both chose truth
    assert evaluate(pairs).agreement["pair"] == 1
    marks = [rating(1, "a", "ours", 3, 1, 5), rating(2, "a", "ours", 3, 9, 5)]
    marks += [rating(1, "b", "ours", 7, 9, 5), rating(2, "b", "ours", 7, 1, 5)]
    alphas = evaluate(marks).agreement
    assert alphas["naturalness"] == 1
    assert alphas["bleeding"] == pytest.approx(1 - 64 / (64 * 2 / 3))  # always 8 apart; by chance in 2 of 3 pairs
    assert alphas["colourfulness"] is None
    assert alphas["turing"] is None


def test_those_who_do_not_read_are_excluded_and_checks_never_count():
    answers = [turing(1, "a", "ours", "photograph"), turing(1, "a", "ours", "machine", expected="machine")]
    answers += [turing(2, "a", "ours", "photograph"), turing(2, "a", "ours", "photograph", expected="machine")]
    answers += [rating(3, "a", "ours", 5, 5, 5), rating(3, "a", "ours", 7, 7, 6, expected="7")]
    answers += [rating(4, "a", "ours", 9, 9, 9), rating(4, "a", "ours", 7, 7, 7, expected="7")]
    found = evaluate(answers)
    assert found.excluded == {2: 1, 3: 1}
    assert (found.taken_for_photographs["ours"].count, found.taken_for_photographs["ours"].of) == (1, 1)
    assert found.ratings["ours"]["naturalness"] == (1, (9, None, None))
    assert evaluate(answers, allowed_failures=1).excluded == {}
    assert evaluate(answers, allowed_failures=1).taken_for_photographs["ours"].of == 2


@pytest.fixture(scope="module")
def answered(tmp_path_factory, photographs):
    """A study of six people: 1 to 4 have answered by a rule, 5 half of it, 6 has withdrawn."""
    folder = tmp_path_factory.mktemp("results")
    made = make_study(folder, photographs, participants=6, turing=5, pairs=5, ratings=5, checks=1, title="Zoo & <b>")
    for person in range(1, 7):
        answer_by_rule(made.folder, person, 8 if person == 5 else None)
    with connect(made.folder) as connection:
        withdraw(connection, 6)
    return made.folder


def answer_by_rule(folder, person, count=None):
    """Gray is seen through, brown is taken for a photograph by people 1 and 2; the rest follows from the version."""
    questions = rows(
        folder,
        "SELECT position, kind, expected, a.version, b.version FROM questions JOIN pictures a ON a.id = first "
        "LEFT JOIN pictures b ON b.id = second WHERE participant = ? ORDER BY position",
        person,
    )
    rank = {"gray": 0, "brown": 1, "truth": 2}
    with connect(folder) as connection:
        give_consent(connection, person)
        for position, kind, expected, first, second in questions[:count]:
            if kind == "turing":
                fooled = first == "truth" or (first == "brown" and person <= 2)
                answer = {"choice": expected or ("photograph" if fooled else "machine")}
            elif kind == "pair":
                answer = {"choice": expected or ("first" if rank[first] > rank[second] else "second")}
            else:
                answer = dict.fromkeys(("naturalness", "bleeding"), 2 + 4 * rank[first]) | {"colourfulness": person}
            assert store_answer(connection, person, position, answer)


def shown(folder, kind, version, people):
    """How often questions of a kind showed a version, as stored; checks left aside."""
    marks = ",".join("?" * len(people))
    query = (
        "SELECT count(*) FROM answers JOIN questions USING (participant, position) JOIN pictures ON id = first "
        f"WHERE kind = ? AND version = ? AND expected IS NULL AND participant IN ({marks})"
    )
    return rows(folder, query, kind, version, *people)[0][0]


def test_results_of_a_stored_study(answered):
    found = study.results(answered)
    assert found.turnout == (6, 5, 4, 1)
    everybody = (1, 2, 3, 4, 5)
    brown = found.taken_for_photographs["brown"]
    assert (brown.count, brown.of) == (
        shown(answered, "turing", "brown", (1, 2)),
        shown(answered, "turing", "brown", everybody),
    )
    truth = found.taken_for_photographs["truth"]
    assert truth.count == truth.of == shown(answered, "turing", "truth", everybody)
    assert found.taken_for_photographs["gray"].count == 0
    assert found.strengths.strengths is None  # the truth always won
    assert sum(itertools.chain(*found.wins)) == found.first_chosen.of
    for version, mark in (("gray", 2), ("brown", 6), ("truth", 10)):
        count, mean = found.ratings[version]["naturalness"]
        assert count == shown(answered, "rating", version, everybody)
        assert mean.value == mark
    assert found.agreement["naturalness"] == 1


def test_json_and_csv_hold_everything(answered, tmp_path):
    found = study.results(answered, report=tmp_path / "report", command="densecolor-study results x")
    document = json.loads((tmp_path / "report" / "results.json").read_text())
    assert document["turing"]["brown"]["count"] == found.taken_for_photographs["brown"].count
    assert document["turnout"] == {"invited": 6, "took_part": 5, "finished": 4, "withdrawn": 1}
    assert document["pairs"]["wins"] == found.wins
    lines = list(csv.DictReader(io.StringIO((tmp_path / "report" / "answers.csv").read_text())))
    assert len(lines) == rows(answered, "SELECT count(*) FROM answers")[0][0] == 4 * 16 + 8
    taken = [line for line in lines if line["kind"] == "turing" and line["first"] == "brown" and not line["expected"]]
    assert sum(line["choice"] == "photograph" for line in taken) == found.taken_for_photographs["brown"].count
    assert all(line["chosen"] in (line["first"], line["second"]) for line in lines if line["kind"] == "pair")


def test_the_page_needs_nothing_and_escapes(answered, tmp_path):
    study.results(answered, report=tmp_path / "report")
    page = (tmp_path / "report" / "index.html").read_text(encoding="utf-8")
    assert "<h1>Zoo &amp; &lt;b&gt;: results</h1>" in page
    assert not re.search(r"(?:src|href)=", page)
    assert "<script" not in page
    assert page.count("<svg") == 4 + 2 + 3  # pies, their legend and three scales; strengths are not finite
    assert "There are no Bradley-Terry strengths: someone always won" in page
    pies = (tmp_path / "report" / "turing.svg").read_text(encoding="utf-8")
    for name in ("gray", "brown", "all systems", "truth"):
        assert f">{name}</text>" in pies
        assert f">{name}</text>" in page


def test_the_slices_of_the_pies_are_the_shares():
    answers = [turing(1, f"a{n}", "ours", "photograph" if n < 3 else "machine") for n in range(4)]
    from densecolor.study.charts import pies

    svg = pies({"ours": evaluate(answers).taken_for_photographs["ours"]}, "photograph", "machine")
    x, y, top, radius, large, end_x, end_y = map(
        float,
        re.search(r'd="M([\d.]+) ([\d.]+)L[\d.]+ ([\d.]+)A([\d.]+) [\d.]+ 0 (\d) 1 ([\d.]+) ([\d.]+)Z"', svg).groups(),
    )
    assert large == 1
    assert (end_x, end_y) == pytest.approx((x - radius, y))  # three quarters clockwise from the top end at the left
    assert y - top == radius


def test_a_report_replaces_its_own_kind_only(answered, tmp_path):
    study.results(answered, report=tmp_path / "report")
    before = (tmp_path / "report" / "results.json").read_text()
    study.results(answered, report=tmp_path / "report", allowed_failures=5)
    assert (tmp_path / "report" / "results.json").read_text() != before
    assert len(list((tmp_path / "report").iterdir())) == 4
    (tmp_path / "else").mkdir()
    (tmp_path / "else" / "thesis.tex").write_text("years of work")
    with pytest.raises(DensecolorError, match="not empty and holds no report"):
        study.results(answered, report=tmp_path / "else")
    with pytest.raises(DensecolorError, match="is a file"):
        study.results(answered, report=tmp_path / "else" / "thesis.tex")


def test_a_study_that_nobody_has_answered(tmp_path, photographs):
    made = make_study(tmp_path, photographs)
    with pytest.raises(DensecolorError, match="Nobody has answered"):
        study.results(made.folder)
