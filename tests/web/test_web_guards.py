"""What the guard lets through, asked by real requests."""

import asyncio
import json
import pathlib

import httpx
import pytest
from starlette.responses import PlainTextResponse

from densecolor.web.guards import Guard
from densecolor.web.limits import Limits

TOKEN = "a-token-of-twenty-letters"
FOLDER = pathlib.Path("/private/uploads")


def ask(path="/", host="127.0.0.1:7860", method="GET", bound="127.0.0.1", token=None, names=(), **options):
    """The response to one request."""
    guard = Guard(PlainTextResponse("the page"), bound, FOLDER, Limits(megabytes=1), token, names)
    headers = {"Host": host, **options.pop("headers", {})}

    async def request():
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guard), base_url="http://server") as client:
            return await client.request(method, path, headers=headers, **options)

    return asyncio.run(request())


@pytest.mark.parametrize(
    ("bound", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1:7860", 200),
        ("127.0.0.1", "localhost:7860", 200),
        ("::1", "[::1]:7860", 200),
        ("127.0.0.1", "rebound.example:7860", 421),
        ("127.0.0.1", "127.0.0.1.rebound.example", 421),
        ("127.0.0.1", "192.168.0.5:7860", 421),
        ("127.0.0.1", "", 421),
        ("0.0.0.0", "192.168.0.5:7860", 200),
        ("0.0.0.0", "rebound.example:7860", 421),
        ("0.0.0.0", "scanner.clinic.example", 200),
        ("192.168.0.5", "192.168.0.5:7860", 200),
        ("192.168.0.5", "192.168.0.6:7860", 421),
    ],
)
def test_only_this_servers_own_names(bound, host, status):
    assert ask(bound=bound, host=host, names=["Scanner.clinic.example"]).status_code == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [("http://127.0.0.1:7860", 200), ("http://evil.example", 403), ("null", 403), ("http://127.0.0.1:8000", 403)],
)
def test_no_page_elsewhere_may_ask(origin, status):
    assert ask(headers={"Origin": origin}).status_code == status


def test_the_token_opens_the_page_and_leaves_the_address():
    assert ask(token=TOKEN).status_code == 401
    assert ask("/?token=wrong", token=TOKEN).status_code == 401
    assert ask("/?token=%ff%00", token=TOKEN).status_code == 401
    assert ask(f"/config?token={TOKEN}", token=TOKEN).status_code == 401
    assert ask(token=TOKEN, headers={"Cookie": "densecolor-token=wrong"}).status_code == 401
    let_in = ask(f"/?token={TOKEN}", token=TOKEN)
    assert (let_in.status_code, let_in.headers["Location"]) == (303, "/")
    cookie = let_in.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    again = ask("/config", token=TOKEN, headers={"Cookie": cookie.partition(";")[0]})
    assert again.text == "the page"
    assert "frame-ancestors 'none'" in again.headers["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/gradio_api/proxy=https://somewhere.example/"),
        ("GET", "/gradio_api/file=https://somewhere.example/a.png"),
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/monitoring/summary"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/call/colorize"),
        ("POST", "/gradio_api/vibe-edit"),
        ("DELETE", "/"),
        ("PUT", "/gradio_api/upload"),
    ],
)
def test_routes_that_the_page_does_not_need_are_closed(method, path):
    assert ask(path, method=method).status_code == 404


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ({"data": [[{"path": "/private/uploads/ab/a.png"}], 1.0]}, 200),
        ({"data": [[{"path": "/etc/passwd"}], 1.0]}, 403),
        ({"data": [{"a": [{"path": "/private/uploads/../secret"}]}]}, 403),
        ({"data": [{"path": "http://somewhere.example/a.png"}]}, 403),
        ({"data": [{"path": ["/private/uploads/a"]}]}, 403),
    ],
)
def test_messages_name_only_uploaded_files(message, status):
    path = "/gradio_api/queue/join"
    assert ask(path, method="POST", content=json.dumps(message)).status_code == status
    assert ask(path, method="POST", content=b"{").status_code == 400


def test_requests_have_bounds():
    join, upload = "/gradio_api/queue/join", "/gradio_api/upload"
    assert ask(join, method="POST", content=b" " * (1 << 21)).status_code == 413
    assert ask(upload, method="POST", headers={"Content-Length": "16000001"}).status_code == 413
    assert ask(upload, method="POST", headers={"Content-Length": "16000000"}).status_code == 200
    assert ask(upload, method="POST", headers={"Content-Length": "-1"}).status_code == 413

    async def parts():
        for _ in range(3):
            yield b" " * (1 << 19)

    assert ask(join, method="POST", content=parts()).status_code == 413
    assert ask(upload, method="POST", content=parts()).status_code == 411
