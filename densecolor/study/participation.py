"""One participant's way through a study: what is next, and what an answer does."""

import contextlib
from typing import NamedTuple

from densecolor.study.database import hash_token
from densecolor.study.questions import CHOICES
from densecolor.study.questions import HIGHEST
from densecolor.study.questions import LOWEST
from densecolor.study.questions import SCALES

INVITED = "invited"
CONSENTED = "consented"
WITHDRAWN = "withdrawn"
_LONGEST_TOKEN = 64


class Progress(NamedTuple):
    """Where a participant stands."""

    participant: int
    state: str  # INVITED, CONSENTED or WITHDRAWN
    question: object  # row of the first unanswered question, or None when all are answered
    count: int  # of all questions


def find_participant(connection, token):
    """Where the participant with a token stands; None if nobody has it."""
    if len(token) > _LONGEST_TOKEN:
        return None
    row = connection.execute("SELECT id, state FROM participants WHERE token_hash = ?", (hash_token(token),)).fetchone()
    if row is None:
        return None
    question = _next_question(connection, row["id"])
    (count,) = connection.execute("SELECT count(*) FROM questions WHERE participant = ?", (row["id"],)).fetchone()
    return Progress(row["id"], row["state"], question, count)


def _next_question(connection, participant):
    return connection.execute(
        "SELECT * FROM questions WHERE participant = ?1 AND position NOT IN "
        "(SELECT position FROM answers WHERE participant = ?1) ORDER BY position LIMIT 1",
        (participant,),
    ).fetchone()


def question_pictures(connection, question):
    """Rows of the pictures that a question shows, one or two."""
    numbers = [number for number in (question["first"], question["second"]) if number is not None]
    return [connection.execute("SELECT * FROM pictures WHERE id = ?", (number,)).fetchone() for number in numbers]


def give_consent(connection, participant):
    """The participant agrees to take part; whoever has withdrawn stays so."""
    connection.execute(
        "UPDATE participants SET state = ? WHERE id = ? AND state = ?", (CONSENTED, participant, INVITED)
    )


def withdraw(connection, participant):
    """Delete a participant's answers, and take no more."""
    with _transaction(connection):
        connection.execute("DELETE FROM answers WHERE participant = ?", (participant,))
        connection.execute("UPDATE participants SET state = ? WHERE id = ?", (WITHDRAWN, participant))


def read_answer(question, fields):
    """Check what a form has sent.

    Args:
        question: row of the question.
        fields: dict of str to str.

    Returns:
        dict of column to value, or None if something is missing or not an answer.
    """
    if question["kind"] in CHOICES:
        choice = fields.get("choice")
        return {"choice": choice} if choice in [known.value for known in CHOICES[question["kind"]]] else None
    marks = {str(mark): mark for mark in range(LOWEST, HIGHEST + 1)}
    values = {scale.name: marks.get(fields.get(scale.name)) for scale in SCALES}
    return None if None in values.values() else values


def store_answer(connection, participant, position, answer):
    """Store an answer to the question that is next; whatever was stored before stays.

    A replayed or doubled request therefore changes nothing, and one that runs ahead is refused.

    Args:
        connection: of `connect`.
        participant: its number.
        position: of the question.
        answer: what `read_answer` returned.

    Returns:
        bool: whether this question is answered now, by this call or an earlier one.
    """
    with _transaction(connection):
        (state,) = connection.execute("SELECT state FROM participants WHERE id = ?", (participant,)).fetchone()
        following = _next_question(connection, participant)
        if state != CONSENTED or (following is not None and position > following["position"]):
            return False
        if following is not None and position == following["position"]:
            columns = ["participant", "position", *answer]
            marks = ", ".join("?" * len(columns))
            connection.execute(
                f"INSERT INTO answers ({', '.join(columns)}) VALUES ({marks})",
                (participant, position, *answer.values()),
            )
        return True


@contextlib.contextmanager
def _transaction(connection):
    """All or nothing, while nobody else writes."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")
