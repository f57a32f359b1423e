"""Serving a study until it is stopped."""

import sqlite3
from pathlib import Path

from densecolor.errors import StudyError
from densecolor.errors import require_package
from densecolor.listening import address_of
from densecolor.listening import listen
from densecolor.study.database import check_study
from densecolor.study.database import connect


def serve(folder, host="127.0.0.1", port=8000, ready=None):
    """Serve a study as a web page, until Ctrl-C or SIGTERM.

    Several servers may serve one study from one machine. Nothing is logged of those who take part.

    Args:
        folder: of the study.
        host: address to listen at; the default is reached from this machine alone.
        port: to listen at; 0 takes a free one.
        ready: function of the address, called when the server listens.

    Raises:
        StudyError: there is no such study, it cannot be written to, the address is taken, or the extra is missing.

    Example:
        >>> densecolor.study.serve("study", ready=print)
        http://127.0.0.1:8000
    """
    uvicorn = require_package("uvicorn", "study")
    for package in ("starlette", "jinja2"):
        require_package(package, "study")
    from densecolor.study.web import create_app

    folder = Path(folder)
    check_study(folder)
    _prepare(folder)
    listener = listen(host, port, StudyError)
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(folder),
            log_level="warning",
            access_log=False,  # it would tell addresses and tokens
            server_header=False,
            date_header=True,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=5,
        )
    )
    with listener:
        if ready:
            ready(address_of(host, listener))
        server.run(sockets=[listener])


def _prepare(folder):
    """Readers do not wait for writers any more; and whether answers can be stored is known before people come."""
    try:
        with connect(folder) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        raise StudyError(
            f"Answers cannot be stored in {folder}: {error}. Put the study on a disk that is writable."
        ) from error
