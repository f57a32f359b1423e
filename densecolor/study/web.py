"""The study as a web page: forms that work without scripts, and pictures that only their question's reader can get."""

import re
import sqlite3
import sys
import urllib.parse
from pathlib import Path

import jinja2
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.responses import RedirectResponse
from starlette.responses import Response
from starlette.routing import Route

from densecolor.study import questions
from densecolor.study.database import PICTURES
from densecolor.study.database import connect
from densecolor.study.guards import BoundedBody
from densecolor.study.guards import SafeHeaders
from densecolor.study.participation import CONSENTED
from densecolor.study.participation import WITHDRAWN
from densecolor.study.participation import find_participant
from densecolor.study.participation import give_consent
from densecolor.study.participation import question_pictures
from densecolor.study.participation import read_answer
from densecolor.study.participation import store_answer
from densecolor.study.participation import withdraw

_STATIC = {"study.css": "text/css", "keys.js": "text/javascript", "icon.svg": "image/svg+xml"}
_MOST_FIELDS = 8
_SIDES = ("first", "second")


def create_app(folder):
    """The web application of a study.

    Args:
        folder: Path of the study.

    Returns:
        starlette.applications.Starlette.
    """
    pages = _Pages(Path(folder))
    return Starlette(
        routes=[
            Route("/static/{name}", pages.static),
            Route("/s/{token}", pages.show),
            Route("/s/{token}/consent", pages.consent, methods=["POST"]),
            Route("/s/{token}/answer", pages.answer, methods=["POST"]),
            Route("/s/{token}/withdraw", pages.withdraw, methods=["GET", "POST"]),
            Route("/s/{token}/picture/{position}/{side}", pages.picture),
        ],
        middleware=[Middleware(SafeHeaders), Middleware(BoundedBody)],
        exception_handlers={HTTPException: pages.refused, sqlite3.Error: pages.failed, OSError: pages.failed},
    )


class _Pages:
    def __init__(self, folder):
        self._folder = folder
        with connect(folder) as connection:
            self._settings = dict(connection.execute("SELECT name, value FROM settings").fetchall())
        self._templates = jinja2.Environment(
            loader=jinja2.PackageLoader("densecolor.study"), autoescape=True, undefined=jinja2.StrictUndefined
        )
        self._static = {name: (Path(__file__).parent / "static" / name).read_bytes() for name in _STATIC}

    async def static(self, request):
        """The style and the script of the pages."""
        name = request.path_params["name"]
        if name not in self._static:
            raise HTTPException(404)
        return Response(self._static[name], media_type=_STATIC[name])

    async def show(self, request):
        """The page where a participant stands: consent, a question, or thanks."""
        return await run_in_threadpool(self._show, request.path_params["token"])

    async def consent(self, request):
        """The participant agrees."""
        return await run_in_threadpool(self._change, request.path_params["token"], give_consent)

    async def withdraw(self, request):
        """Ask whether answers are to be deleted, and delete them."""
        token = request.path_params["token"]
        if request.method == "POST":
            return await run_in_threadpool(self._change, token, withdraw)
        return await run_in_threadpool(self._ask_withdrawal, token)

    async def answer(self, request):
        """Take one answer."""
        fields = _parse_form(await request.body())
        return await run_in_threadpool(self._answer, request.path_params["token"], fields)

    async def picture(self, request):
        """One picture of a question that the participant has reached."""
        position, side = request.path_params["position"], request.path_params["side"]
        if side not in _SIDES:
            raise HTTPException(404)
        return await run_in_threadpool(
            self._picture, request.path_params["token"], _read_position(position), _SIDES.index(side)
        )

    async def refused(self, request, error):
        """A page that says what is wrong with a request."""
        text = _REFUSALS.get(error.status_code, "This request is not understood.")
        return self._page("message.html", error.status_code, heading="This does not work", text=text)

    async def failed(self, request, error):
        """A page that says that the server has a problem; nothing is stored by halves."""
        print(f"A request failed: {error}", file=sys.stderr, flush=True)
        text = "Something could not be stored or read. Go back and try again; if it stays, tell who invited you."
        return self._page("message.html", 503, heading="This did not work", text=text)

    def _show(self, token, status=200, complaint=""):
        with connect(self._folder) as connection:
            progress = _find(connection, token)
            question = progress.question
            if progress.state == WITHDRAWN:
                text = "You have withdrawn, and your answers are deleted. You may close this page."
                return self._page("message.html", heading="Withdrawn", text=text)
            if progress.state != CONSENTED:
                paragraphs = self._settings["consent"].split("\n\n")
                return self._page("consent.html", token=token, paragraphs=paragraphs)
            if question is None:
                return self._page("done.html", token=token)
            pictures = question_pictures(connection, question)
        return self._page(
            "question.html",
            status,
            token=token,
            question=question,
            count=progress.count,
            pictures=list(zip(_SIDES, pictures, strict=False)),
            complaint=complaint,
        )

    def _ask_withdrawal(self, token):
        with connect(self._folder) as connection:
            progress = _find(connection, token)
        return self._back(token) if progress.state == WITHDRAWN else self._page("withdraw.html", token=token)

    def _change(self, token, change):
        with connect(self._folder) as connection:
            change(connection, _find(connection, token).participant)
        return self._back(token)

    def _answer(self, token, fields):
        position = _read_position(fields.get("position", ""))
        with connect(self._folder) as connection:
            progress = _find(connection, token)
            question = connection.execute(
                "SELECT * FROM questions WHERE participant = ? AND position = ?", (progress.participant, position)
            ).fetchone()
            if question is None:
                raise HTTPException(404)
            answer = read_answer(question, fields)
            if answer is not None and not store_answer(connection, progress.participant, position, answer):
                raise HTTPException(409)
        if answer is None:
            return self._show(token, 400, "This answer is not complete. Please choose one for each line.")
        return self._back(token)

    def _picture(self, token, position, place):
        with connect(self._folder) as connection:
            progress = _find(connection, token)
            question = progress.question
            if progress.state != CONSENTED or question is None or question["position"] != position:
                raise HTTPException(404)
            pictures = question_pictures(connection, question)
        if place >= len(pictures) or not re.fullmatch(r"[0-9a-f]+\.png", pictures[place]["file"]):
            raise HTTPException(404)
        return Response((self._folder / PICTURES / pictures[place]["file"]).read_bytes(), media_type="image/png")

    def _back(self, token):
        return RedirectResponse(f"/s/{urllib.parse.quote(token, safe='')}", 303)

    def _page(self, template, status=200, **values):
        page = self._templates.get_template(template)
        return HTMLResponse(page.render(title=self._settings["title"], wording=questions, **values), status)


_REFUSALS = {
    400: "This answer is not understood. Go back and try again.",
    404: "There is nothing here. Please open the link of your invitation, the whole of it.",
    405: "There is nothing here. Please open the link of your invitation, the whole of it.",
    409: "This answer cannot be taken now. Please open the link of your invitation to go on.",
}


def _find(connection, token):
    progress = find_participant(connection, token)
    if progress is None:
        raise HTTPException(404)
    return progress


def _read_position(text):
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise HTTPException(404)
    return int(text)


def _parse_form(body):
    try:
        pairs = urllib.parse.parse_qsl(body.decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise HTTPException(400) from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise HTTPException(400)
    return fields
