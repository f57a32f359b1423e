import collections
import concurrent.futures
import http.client
import os
import signal
import socket
import sqlite3

import cv2
import numpy as np
import pytest
from made_study import Client
from made_study import make_study
from made_study import rows
from made_study import serving

from densecolor.study.database import check_study
from densecolor.study.database import hash_token

CHOICES = {"turing": {"choice": "machine"}, "pair": {"choice": "second"}}
MARKS = {"naturalness": 3, "bleeding": 10, "colourfulness": 1}


def obey(form):
    """Answer everything alike."""
    return CHOICES.get(form.kind, MARKS)


@pytest.fixture(scope="module")
def made(tmp_path_factory, photographs):
    folder = tmp_path_factory.mktemp("study")
    return make_study(folder, photographs, participants=60, turing=3, pairs=2, ratings=1, checks=1)


@pytest.fixture(scope="module")
def port(made):
    with serving(made.folder) as (_, port):
        yield port


@pytest.fixture
def client(made, port):
    """A participant of its own for each test, who has consented."""
    client = Client(port, made.tokens.pop())
    assert client.post("/consent")[0] == 303
    return client


def number_of(client, folder):
    return rows(folder, "SELECT id FROM participants WHERE token_hash = ?", hash_token(client.token))[0][0]


def answers_of(client, folder):
    return rows(folder, "SELECT * FROM answers WHERE participant = ?", number_of(client, folder))


def test_consent_comes_first(made, port):
    client = Client(port, made.tokens.pop())
    status, _, body = client.get()
    assert status == 200
    assert b"want to take part" in body
    assert client.get("/picture/1/first")[0] == 404
    assert client.post("/answer", position=1, choice="machine")[0] == 409
    assert answers_of(client, made.folder) == []
    client.post("/consent")
    assert client.page().position == "1"


def test_everything_is_answered_and_stored_once(client, made):
    kinds = []
    while (form := client.page()).kind:
        kinds.append(form.kind)
        assert len(form.images) == (2 if form.kind == "pair" else 1)
        for source in form.images:
            status, headers, body = client.request("GET", source)
            assert (status, headers["Content-Type"]) == (200, "image/png")
            assert cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_COLOR).shape == (40, 60, 3)
        client.answer(form, obey)
    assert collections.Counter(kinds) == {"turing": 4, "pair": 2, "rating": 1}
    assert b"Thank you" in client.get()[2]
    number = number_of(client, made.folder)
    stored = [(number, place, "machine", None, None, None) for place in range(1, 5)]
    stored += [(number, place, "second", None, None, None) for place in (5, 6)]
    assert answers_of(client, made.folder) == [*stored, (number, 7, None, 3, 10, 1)]


def test_pages_give_away_nothing(client, made):
    form = client.page()
    page = client.get()[2].decode()
    for scene, version, name in rows(made.folder, "SELECT scene, version, file FROM pictures"):
        assert name not in page
        assert scene not in page
        assert version not in ("truth",) or version not in page
    assert form.images == [f"/s/{client.token}/picture/1/first"]


def test_pictures_of_other_questions_cannot_be_had(client):
    assert client.get("/picture/1/first")[0] == 200
    assert client.get("/picture/1/second")[0] == 404
    assert client.get("/picture/2/first")[0] == 404
    client.answer(client.page(), obey)
    assert client.get("/picture/1/first")[0] == 404


def test_replayed_answers_change_nothing(client, made):
    form = client.page()
    client.answer(form, obey)
    before = answers_of(client, made.folder)
    for choice in ("machine", "photograph"):
        assert client.post("/answer", position=form.position, choice=choice)[0] == 303
    assert answers_of(client, made.folder) == before
    assert len(before) == 1


def test_answers_that_run_ahead_are_refused(client, made):
    assert client.post("/answer", position=3, choice="machine")[0] == 409
    assert client.post("/answer", position=99, choice="machine")[0] == 404
    assert answers_of(client, made.folder) == []


def test_concurrent_answers_to_one_question_are_one(client, made):
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        choices = ["machine", "photograph"] * 16
        sent = [pool.submit(client.post, "/answer", position=1, choice=choice) for choice in choices]
        assert {answer.result()[0] for answer in sent} == {303}
    stored = answers_of(client, made.folder)
    assert [row[1] for row in stored] == [1]
    assert client.page().position == "2"


@pytest.mark.parametrize("values", [{}, {"choice": "second"}, {"choice": ""}, {"naturalness": "3"}])
def test_incomplete_answers_are_asked_again(client, made, values):
    status, _, body = client.post("/answer", position=1, **values)
    assert status == 400
    assert b"not complete" in body
    assert answers_of(client, made.folder) == []


def test_withdrawing_deletes_and_ends(client, made):
    client.answer(client.page(), obey)
    assert b"Delete your answers?" in client.get("/withdraw")[2]
    assert len(answers_of(client, made.folder)) == 1
    client.post("/withdraw")
    assert answers_of(client, made.folder) == []
    assert b"You have withdrawn" in client.get()[2]
    client.post("/consent")
    assert client.post("/answer", position=1, choice="machine")[0] == 409
    assert answers_of(client, made.folder) == []


@pytest.mark.parametrize("token", ["x", "a" * 22, "%00", "%ff%fe", "..%2f..%2fetc%2fpasswd", "a" * 5000])
def test_forged_tokens_get_nothing(port, token):
    forger = Client(port, token)
    for path in ("", "/withdraw", "/picture/1/first"):
        assert forger.get(path)[0] == 404
    for path in ("/consent", "/answer", "/withdraw"):
        assert forger.post(path, position=1, choice="machine")[0] == 404


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/study.sqlite",
        "/static/../web.py",
        "/static/..%2fweb.py",
        "/static/%2e%2e/%2e%2e/errors.py",
        "/s/{token}/picture/1/..%2f..%2fstudy.sqlite",
        "/s/{token}/picture/..%2f1/first",
        "/s/{token}/picture/1/third",
        "/s/{token}/picture/-1/first",
        "/s/{token}/picture/99999999999999999999/first",
        "/s/{token}/picture/१/first",
    ],
)
def test_paths_lead_nowhere_else(client, path):
    quoted = path.format(token=client.token).replace("१", "%E0%A5%A7")
    assert client.request("GET", quoted)[0] == 404


def test_broken_requests_are_refused(client, made):
    for fields in (b"\xff\xfe=1", b"position=1&position=1&choice=machine", b"&".join([b"a=1"] * 50)):
        connection = socket.create_connection(("127.0.0.1", client.port))
        head = f"POST /s/{client.token}/answer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(fields)}\r\n"
        connection.sendall(head.encode() + b"Connection: close\r\n\r\n" + fields)
        assert connection.makefile("rb").readline().split()[1] == b"400"
        connection.close()
    assert answers_of(client, made.folder) == []


def test_half_an_answer_is_none(client, made):
    """The first bytes of a 10 are a 1."""
    for _ in range(5):
        client.answer(client.page(), obey)
    while (form := client.page()).kind != "rating":
        client.answer(form, obey)
    before = answers_of(client, made.folder)
    body = f"position={form.position}&naturalness=3&bleeding=4&colourfulness=1".encode()
    connection = socket.create_connection(("127.0.0.1", client.port))
    head = f"POST /s/{client.token}/answer HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body) + 1}\r\n\r\n"
    connection.sendall(head.encode() + body)
    client.page()  # the server has had time to read what came
    connection.shutdown(socket.SHUT_WR)
    assert connection.recv(100) == b""
    connection.close()
    assert client.page().position == form.position
    assert answers_of(client, made.folder) == before


def test_a_picture_that_is_lost_is_told(tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=1)
    with serving(made.folder) as (_, port):
        client = Client(port, made.tokens[0])
        client.post("/consent")
        for picture in (made.folder / "pictures").iterdir():
            picture.unlink()
        status, headers, body = client.get("/picture/1/first")
        assert status == 503
        assert b"Something could not be stored or read" in body
        assert headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("announced", [True, False])
def test_large_requests_are_refused_before_they_are_read(client, announced):
    connection = socket.create_connection(("127.0.0.1", client.port))
    length = "Content-Length: 10000000000" if announced else "Transfer-Encoding: chunked"
    head = f"POST /s/{client.token}/answer HTTP/1.1\r\nHost: x\r\n{length}\r\n\r\n"
    chunk = b"1388\r\n" + b"x" * 5000 + b"\r\n"
    connection.sendall(head.encode() + (b"" if announced else chunk))
    assert connection.makefile("rb").readline().split()[1] == b"413"
    connection.close()


def test_every_response_has_safe_headers(client):
    for path in (f"/s/{client.token}", "/static/study.css", f"/s/{client.token}/picture/1/first", "/nothing"):
        _, headers, _ = client.request("GET", path)
        assert headers["Content-Security-Policy"].startswith("default-src 'none'; img-src 'self'")
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in headers
        assert "Server" not in headers


def test_a_killed_server_loses_no_answer_and_the_next_one_goes_on(tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=4, turing=3, pairs=3, ratings=2, checks=0)
    acknowledged = collections.Counter()

    def take_part(client, stop_after=None):
        client.post("/consent")
        while (form := client.page()).kind:
            client.answer(form, obey)
            acknowledged[client.token] += 1

    with serving(made.folder) as (process, port), concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(take_part, Client(port, token)) for token in made.tokens]
        while sum(acknowledged.values()) < 10 and not all(one.done() for one in running):
            pass
        os.kill(process.pid, signal.SIGKILL)
        for one in running:
            assert isinstance(one.exception(), OSError | http.client.HTTPException | None), one.exception()
    check_study(made.folder)
    stored = collections.Counter(number for (number,) in rows(made.folder, "SELECT participant FROM answers"))
    for token, count in acknowledged.items():
        kept = stored[number_of(Client(0, token), made.folder)]
        assert count <= kept <= count + 1
    with serving(made.folder) as (_, port):
        for token in made.tokens:
            take_part(Client(port, token))
    assert rows(made.folder, "SELECT count(*), count(DISTINCT participant) FROM answers") == [(32, 4)]


def test_a_writer_beside_the_server_only_delays(client, made):
    other = sqlite3.connect(made.folder / "study.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        form = client.page()  # readers do not wait
        sent = pool.submit(client.answer, form, obey)
        other.execute("COMMIT")
        sent.result()
    other.close()
    assert len(answers_of(client, made.folder)) == 1
