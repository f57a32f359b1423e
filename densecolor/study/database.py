"""The one file of a study: its questions and its answers, in SQLite."""

import contextlib
import hashlib
import sqlite3
from pathlib import Path

from densecolor.errors import StudyError

DATABASE = "study.sqlite"
PICTURES = "pictures"
APPLICATION_ID = 0x64635374  # by which `file` and we know it
FORMAT_VERSION = 1
WAIT = 30.0  # seconds for another writer of the same file

_SCHEMA = f"""
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {FORMAT_VERSION};
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE pictures (
    id INTEGER PRIMARY KEY,
    scene TEXT NOT NULL,
    version TEXT NOT NULL,
    file TEXT NOT NULL UNIQUE,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    UNIQUE (scene, version)
);
CREATE TABLE participants (
    id INTEGER PRIMARY KEY,
    token_hash BLOB NOT NULL UNIQUE,
    state TEXT NOT NULL DEFAULT 'invited' CHECK (state IN ('invited', 'consented', 'withdrawn'))
);
CREATE TABLE questions (
    participant INTEGER NOT NULL REFERENCES participants,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('turing', 'pair', 'rating')),
    first INTEGER NOT NULL REFERENCES pictures,
    second INTEGER REFERENCES pictures,
    expected TEXT,
    PRIMARY KEY (participant, position),
    CHECK ((kind = 'pair') = (second IS NOT NULL))
) WITHOUT ROWID;
CREATE TABLE answers (
    participant INTEGER NOT NULL,
    position INTEGER NOT NULL,
    choice TEXT CHECK (choice IN ('photograph', 'machine', 'first', 'second')),
    naturalness INTEGER CHECK (naturalness BETWEEN 1 AND 10),
    bleeding INTEGER CHECK (bleeding BETWEEN 1 AND 10),
    colourfulness INTEGER CHECK (colourfulness BETWEEN 1 AND 10),
    PRIMARY KEY (participant, position),
    FOREIGN KEY (participant, position) REFERENCES questions,
    CHECK ((choice IS NULL) = (naturalness IS NOT NULL AND bleeding IS NOT NULL AND colourfulness IS NOT NULL))
) WITHOUT ROWID;
"""


def hash_token(token):
    """What is stored of an access token: it cannot be turned back into the token."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def create_database(path):
    """Make the empty database of a new study.

    Args:
        path: Path of a file that is not there yet.

    Returns:
        sqlite3.Connection with an open transaction; `commit` it.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    connection.executescript(_SCHEMA)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("BEGIN")
    return connection


@contextlib.contextmanager
def connect(folder):
    """Open a study's database for reading and writing; a context manager that closes it.

    Every statement is its own transaction unless BEGIN says otherwise. Other processes may read and write at the same
    time: whoever finds the file locked waits for up to half a minute.

    Args:
        folder: Path of the study.

    Yields:
        sqlite3.Connection.
    """
    path = (Path(folder).resolve() / DATABASE).as_uri()
    connection = sqlite3.connect(f"{path}?mode=rw", uri=True, timeout=WAIT, isolation_level=None)
    try:
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # an answer that was thanked for survives a power cut
        connection.execute("PRAGMA secure_delete = ON")  # what somebody withdraws is overwritten
        yield connection
    finally:
        connection.close()


def check_study(folder):
    """Make sure that a folder holds a study that this version can read.

    Args:
        folder: Path or str.

    Raises:
        StudyError: it does not exist, is no study, is damaged, or comes from another version.
    """
    path = Path(folder) / DATABASE
    if not path.is_file():
        raise StudyError(f"There is no study in {folder}: it has no {DATABASE}. Make one with densecolor-study new.")
    try:
        with connect(folder) as connection:
            (application,) = connection.execute("PRAGMA application_id").fetchone()
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if application != APPLICATION_ID:
                raise StudyError(
                    f"{path} is a database, but not that of a study. Name a folder of densecolor-study new."
                )
            if version != FORMAT_VERSION:
                raise StudyError(
                    f"{path} has format {version}, and this densecolor reads format {FORMAT_VERSION}. Use the version "
                    f"of densecolor that made it{', or a newer one' if version > FORMAT_VERSION else ''}."
                )
            (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        raise StudyError(f"{path} cannot be read: {error}. If it is damaged, restore it from a copy.") from error
    if finding != "ok":
        raise StudyError(f"{path} is damaged: {finding}. Restore it from a copy.")
