"""A small study, a server process for it, and a client that knows no browser."""

import contextlib
import html.parser
import http.client
import subprocess
import sys
import urllib.parse

import cv2
import numpy as np

from densecolor import study
from densecolor.study.database import connect

SERVE = "from densecolor.cli.study import main; main()"


def write_versions(folder, photographs, names=None):
    """Write photographs, gray and brown copies of them into three folders; returns their paths by version."""
    for name, rgb in photographs.items():
        small = cv2.resize(rgb, (60, 40), interpolation=cv2.INTER_AREA)
        gray = np.repeat(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=-1)
        brown = np.rint(gray * np.array([1.0, 0.9, 0.7])).astype(np.uint8)
        for version, pixels in (("truth", small), ("gray", gray), ("brown", brown)):
            (folder / version).mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / version / f"{name.partition('.')[0]}.png"), pixels[..., ::-1])
    return {version: folder / version for version in ("truth", "gray", "brown")}


def make_study(folder, photographs, **options):
    """A study of five scenes with two systems."""
    paths = write_versions(folder / "pictures", photographs)
    systems = {"gray": paths["gray"], "brown": paths["brown"]}
    return study.new(folder / "study", paths["truth"], systems, **{"seed": 1, **options})


@contextlib.contextmanager
def serving(folder):
    """A server process of a study; yields (process, port). It is stopped as Ctrl-C does."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE, "serve", str(folder), "--port", "0"], stderr=subprocess.PIPE, text=True
    )
    try:
        line = process.stderr.readline()
        assert " at http://127.0.0.1:" in line, line + process.stderr.read()
        yield process, int(line.partition("127.0.0.1:")[2].split()[0])
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


class Client:
    """One participant without scripts: follows links and fills forms as the page says."""

    def __init__(self, port, token):
        self.port = port
        self.token = token

    def request(self, method, path, fields=None, headers=()):
        """(status, headers, body) of one request; no redirect is followed."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        body = None if fields is None else urllib.parse.urlencode(fields)
        kind = {} if body is None else {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request(method, path, body, {**kind, **dict(headers)})
        response = connection.getresponse()
        answer = response.status, response.headers, response.read()
        connection.close()
        return answer

    def get(self, path=""):
        return self.request("GET", f"/s/{self.token}{path}")

    def post(self, path, **fields):
        return self.request("POST", f"/s/{self.token}{path}", fields)

    def page(self):
        """The form that is shown: a `Form`."""
        form = Form()
        form.feed(self.get()[2].decode())
        return form

    def answer(self, form, answers):
        """Send what `answers(form)` says, with the position that the page gave."""
        status, headers, _ = self.post("/answer", position=form.position, **answers(form))
        assert (status, headers["Location"]) == (303, f"/s/{self.token}")


class Form(html.parser.HTMLParser):
    """What a page asks."""

    def __init__(self):
        super().__init__()
        self.position = None
        self.kind = None
        self.images = []
        self.heading = ""
        self._in_heading = False

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form" and attributes.get("class", "").startswith("question"):
            self.kind = attributes["class"].split()[1]
        if tag == "input" and attributes.get("name") == "position":
            self.position = attributes["value"]
        if tag == "img":
            self.images.append(attributes["src"])
        self._in_heading = tag == "h1"

    def handle_data(self, data):
        if self._in_heading:
            self.heading += data


def rows(folder, query, *values):
    """Rows of a study's database as tuples."""
    with connect(folder) as connection:
        return [tuple(row) for row in connection.execute(query, values)]
