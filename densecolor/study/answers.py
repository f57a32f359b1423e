"""The answers of a study, as they are evaluated."""

import csv
import io
from typing import NamedTuple

from densecolor.study.participation import WITHDRAWN
from densecolor.study.questions import FIRST
from densecolor.study.questions import PAIR
from densecolor.study.questions import RATING
from densecolor.study.questions import SCALES


class Answer(NamedTuple):
    """One answer of one participant."""

    participant: int
    position: int  # of the question in that participant's order, from 1
    kind: str
    scene: str
    first: str  # the version that was shown, or shown as A
    second: str | None  # the version that was shown as B
    choice: str | None  # PHOTOGRAPH or MACHINE, FIRST or SECOND
    marks: tuple | None  # of the scales, in their order
    expected: str | None  # an attention check's right answer

    @property
    def is_check(self):
        """Whether this was an attention check, which counts for nothing else."""
        return self.expected is not None

    @property
    def failed(self):
        """Whether this was an attention check that was not passed."""
        given = set(map(str, self.marks)) if self.kind == RATING else {self.choice}
        return self.is_check and given != {self.expected}

    @property
    def chosen(self):
        """The version that was preferred, of a pair; else None."""
        if self.kind != PAIR:
            return None
        return self.first if self.choice == FIRST else self.second


class Turnout(NamedTuple):
    """How many people there are; who finished took part too."""

    invited: int
    took_part: int  # have answered something, and not withdrawn
    finished: int  # have answered everything
    withdrawn: int


def read_answers(connection):
    """All answers, in the order of participants and of what they were asked.

    Args:
        connection: of `connect`.

    Returns:
        list of Answer.
    """
    marks = ", ".join(scale.name for scale in SCALES)
    rows = connection.execute(
        "SELECT participant, position, kind, a.scene, a.version AS first, b.version AS second, choice, expected, "
        f"{marks} FROM answers JOIN questions USING (participant, position) "
        "JOIN pictures a ON a.id = questions.first LEFT JOIN pictures b ON b.id = questions.second "
        "ORDER BY participant, position"
    )
    return [
        Answer(
            *(row[name] for name in ("participant", "position", "kind", "scene", "first", "second", "choice")),
            tuple(row[scale.name] for scale in SCALES) if row["kind"] == RATING else None,
            row["expected"],
        )
        for row in rows
    ]


def read_turnout(connection):
    """How many people have taken part: a Turnout."""
    people = connection.execute(
        "SELECT state, (SELECT count(*) FROM answers WHERE participant = id) AS answered, "
        "(SELECT count(*) FROM questions WHERE participant = id) AS asked FROM participants"
    ).fetchall()
    return Turnout(
        invited=len(people),
        took_part=sum(person["answered"] > 0 for person in people),
        finished=sum(person["answered"] == person["asked"] for person in people),
        withdrawn=sum(person["state"] == WITHDRAWN for person in people),
    )


def failed_checks(answers):
    """Attention checks that each participant has failed: dict of number to count, of those who failed any."""
    failures = {}
    for answer in answers:
        if answer.failed:
            failures[answer.participant] = failures.get(answer.participant, 0) + 1
    return failures


def as_csv(answers, excluded):
    """All answers as CSV, those of excluded participants too, which a column says.

    Args:
        answers: list of Answer.
        excluded: container of participants.

    Returns:
        str with a line for each answer.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    head = ["participant", "position", "kind", "scene", "first", "second", "choice", "chosen"]
    writer.writerow([*head, *(scale.name for scale in SCALES), "expected", "failed", "excluded"])
    for answer in answers:
        shown = (answer.participant, answer.position, answer.kind, answer.scene, answer.first, answer.second)
        marks = answer.marks or (None,) * len(SCALES)
        flags = (int(answer.failed), int(answer.participant in excluded))
        writer.writerow([*shown, answer.choice, answer.chosen, *marks, answer.expected, *flags])
    return text.getvalue()
