"""Making a study: whole, or not at all."""

import contextlib
import json
import os
import secrets
import shutil
from pathlib import Path
from typing import NamedTuple

import densecolor
from densecolor.atomic import partial_path
from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.errors import StudyError
from densecolor.study.consent import consent_text
from densecolor.study.database import DATABASE
from densecolor.study.database import PICTURES
from densecolor.study.database import create_database
from densecolor.study.database import hash_token
from densecolor.study.design import design_questions
from densecolor.study.pictures import copy_scene
from densecolor.study.pictures import match_pictures
from densecolor.study.questions import KINDS
from densecolor.study.questions import PAIR
from densecolor.study.questions import RATING
from densecolor.study.questions import TRUTH
from densecolor.study.questions import TURING

TITLE = "Colours of photographs"
_TOKEN_BYTES = 16


class NewStudy(NamedTuple):
    """What `new` has made."""

    folder: Path
    tokens: list  # one a participant, kept nowhere else
    questions: dict  # kind to questions that each participant is asked, attention checks among them
    scenes: int  # pictures of the study, each in several versions
    left_out: int  # pictures without a partner


def new(
    folder,
    truth,
    systems,
    participants=20,
    turing=20,
    pairs=20,
    ratings=10,
    checks=3,
    title=TITLE,
    consent=None,
    max_side=1024,
    seed=None,
    skip_unmatched=False,
    progress=None,
):
    """Make a study from true pictures and those of systems.

    Args:
        folder: where; new or empty. It appears when it is whole.
        truth: folder of the true photographs.
        systems: dict of name to folder with the same pictures, of the same size, as coloured by that system. Names are
            shown in the results only, never to participants.
        participants: how many people can take part; each gets an access token.
        turing, pairs, ratings: questions of each kind for each participant; at most one a picture. 0 leaves a kind out.
        checks: attention checks for each participant.
        title: of the page.
        consent: text of the first page, paragraphs divided by empty lines; None for a text of ours.
        max_side: pixels; larger pictures are shown reduced.
        seed: int that fixes who is asked what; None draws it. Tokens and names of files are always drawn.
        skip_unmatched: leave out pictures that are not in every folder.
        progress: function of (pictures done, all).

    Returns:
        NewStudy. Its tokens are stored as hashes only: who loses them makes a new study.

    Raises:
        StudyError: the folder is in use, there is no system, nothing to ask, or pictures do not match.
        ImageError: a picture cannot be read.
        OSError: something cannot be written; nothing is left behind.

    Example:
        >>> study = densecolor.study.new("study", "photos", {"ours": "out/ours"}, participants=2)
        >>> len(study.tokens)
        2
    """
    folder = Path(folder)
    _check(folder, systems, participants, title)
    matched, left_out = match_pictures(truth, systems, skip_unmatched)
    seed = secrets.randbits(64) if seed is None else seed
    counts = {TURING: turing, PAIR: pairs, RATING: ratings}
    questions = design_questions(list(matched), list(systems), participants, counts, checks, seed)
    if not questions[0]:
        raise StudyError("There is nothing to ask. Give --turing, --pairs or --ratings a number above 0.")
    used = sorted({scene for asked in questions for question in asked for scene, _ in question.pictures})
    tokens = [secrets.token_urlsafe(_TOKEN_BYTES) for _ in range(participants)]
    settings = {
        "title": title,
        "consent": consent_text(questions[0]) if consent is None else consent,
        "systems": json.dumps(list(systems)),
        "options": json.dumps(
            {"turing": turing, "pairs": pairs, "ratings": ratings, "checks": checks, "max_side": max_side, "seed": seed}
        ),
        "densecolor_version": densecolor.__version__,
    }
    with _appearing(folder) as unfinished:
        (unfinished / PICTURES).mkdir()
        copies = {}
        for done, scene in enumerate(used):
            for version, copy in copy_scene(matched[scene], unfinished / PICTURES, max_side).items():
                copies[scene, version] = copy
            if progress:
                progress(done + 1, len(used))
        _write_database(unfinished / DATABASE, settings, copies, tokens, questions)
    asked = {kind: sum(question.kind == kind for question in questions[0]) for kind in KINDS}
    return NewStudy(folder, tokens, asked, len(used), left_out)


def _check(folder, systems, participants, title):
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise StudyError(f"{folder} is there already and not empty. Name a new folder for the study.")
    if not systems:
        raise StudyError("There is no system. Give one or more folders of colorized pictures.")
    for name in systems:
        if name == TRUTH or not name.strip():
            raise StudyError(f"A system cannot be called {name!r}. Give it another name.")
    if participants < 1:
        raise StudyError(f"A study needs participants. Received: {participants}.")
    if not title.strip():
        raise StudyError("The title is empty. Leave it out, or give one.")


@contextlib.contextmanager
def _appearing(folder):
    """A folder in the making beside the final one, which takes its place when all went well; readable by its owner."""
    folder = Path(os.path.abspath(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = partial_path(folder)
    unfinished.mkdir(mode=0o700)
    try:
        yield unfinished
        for path in [*unfinished.rglob("*"), unfinished]:
            sync(path)
        try:
            rename_durably(unfinished, folder)
        except OSError as error:
            raise StudyError(f"{folder} was made by somebody else in the meantime. Name another folder.") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _write_database(path, settings, copies, tokens, questions):
    with contextlib.closing(create_database(path)) as connection:
        os.chmod(path, 0o600)
        connection.executemany("INSERT INTO settings VALUES (?, ?)", settings.items())
        numbers = {}
        for (scene, version), (name, width, height) in sorted(copies.items(), key=lambda copy: copy[1][0]):
            numbers[scene, version] = connection.execute(
                "INSERT INTO pictures (scene, version, file, width, height) VALUES (?, ?, ?, ?, ?)",
                (scene, version, name, width, height),
            ).lastrowid
        for number, (token, asked) in enumerate(zip(tokens, questions, strict=True), 1):
            connection.execute("INSERT INTO participants (id, token_hash) VALUES (?, ?)", (number, hash_token(token)))
            for position, question in enumerate(asked, 1):
                first, second = ([numbers[picture] for picture in question.pictures] + [None])[:2]
                connection.execute(
                    "INSERT INTO questions VALUES (?, ?, ?, ?, ?, ?)",
                    (number, position, question.kind, first, second, question.expected),
                )
        connection.execute("COMMIT")
