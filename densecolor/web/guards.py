"""What stands before the page: who may ask, from where, for what, and how much.

Gradio has more routes than this page needs, some of which fetch addresses or store what they are sent; only those that
the page uses are let through.
"""

import hmac
import http.cookies
import ipaddress
import json
import socket
import urllib.parse

from starlette.responses import PlainTextResponse
from starlette.responses import RedirectResponse

from densecolor.listening import is_local

COOKIE = "densecolor-token"
MAX_MESSAGE = 1 << 20  # bytes of a request that brings no file
_API = "/gradio_api"
_UPLOAD = f"{_API}/upload"
_GET = frozenset(
    ["/", "/config", "/theme.css", "/favicon.ico", "/manifest.json", "/robots.txt", f"{_API}/queue/data"]
    + [f"{_API}/{name}" for name in ("upload_progress", "startup-events", "app_id", "info")]
)
_GET_BELOW = ("/assets/", "/static/", f"{_API}/file=", f"{_API}/heartbeat/")
_POST = frozenset([_UPLOAD, f"{_API}/queue/join", f"{_API}/reset", f"{_API}/cancel"])
_ANY_ADDRESS = ("0.0.0.0", "::")
_HEADERS = {
    # Gradio's page has scripts and styles in itself. Whatever it would load, only this server is asked.
    "Content-Security-Policy": "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' "
    "'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; worker-src 'self' blob:; object-src 'none'; "
    "base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
}
_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


class Refused(Exception):  # noqa: N818 - an answer
    """A request that is not let through.

    Args:
        status: of HTTP.
        reason: for the person who asks.
    """

    def __init__(self, status, reason):
        super().__init__(reason)
        self.status = status


class Guard:
    """ASGI middleware.

    Args:
        app: what it guards.
        host: the address that is listened at.
        folder: `pathlib.Path` of uploads; no message may name a file elsewhere.
        limits: `Limits`.
        token: str that whoever asks must know, or None.
        names: more names of this server than `host`.
    """

    def __init__(self, app, host, folder, limits, token=None, names=()):
        self._app = app
        self._host = host
        self._folder = folder
        self._limits = limits
        self._token = token
        self._names = {name.casefold() for name in (host, socket.gethostname(), *names)}

    async def __call__(self, scope, receive, send):
        """Serve one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return  # the page has no web sockets
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}

        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_RAW_HEADERS]}
            await send(message)

        try:
            self._check_host(headers)
            answer = self._check_token(scope, headers)
            if answer is None:
                _check_route(scope)
                receive = await self._bounded(scope, headers, receive)
        except Refused as refused:
            answer = PlainTextResponse(f"{refused}\n", refused.status, {"Connection": "close"})
        await (answer or self._app)(scope, receive, send_with_headers)

    def _check_host(self, headers):
        """Only who typed this server's address is served: no page elsewhere, nor a name that was made to point here."""
        host = headers.get("host", "")
        name = (urllib.parse.urlsplit(f"//{host}").hostname or "").casefold()
        if not self._is_ours(name):
            raise Refused(421, "This server is not called so. Use the address that it printed.")
        origin = headers.get("origin")
        if origin is not None and urllib.parse.urlsplit(origin).netloc.casefold() != host.casefold():
            raise Refused(403, "This request comes from a page elsewhere.")

    def _is_ours(self, name):
        if is_local(self._host):
            return is_local(name)
        if name in self._names:
            return True
        if self._host not in _ANY_ADDRESS:
            return False
        try:
            return bool(ipaddress.ip_address(name))  # a number cannot be made to point here
        except ValueError:
            return name == "localhost"

    def _check_token(self, scope, headers):
        """None for who knows the token; who brings it in the address gets a cookie, so that it leaves the address."""
        if self._token is None:
            return None
        cookies = http.cookies.SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except http.cookies.CookieError:
            cookies = {}
        if COOKIE in cookies and self._is_token(cookies[COOKIE].value):
            return None
        given = urllib.parse.parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] != "/" or not self._is_token(given):
            raise Refused(401, "Open the address that the server printed, which ends in ?token=...")
        response = RedirectResponse("/", 303)
        response.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
        return response

    def _is_token(self, given):
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _bounded(self, scope, headers, receive):
        """What the request brings, if it is no more than we take."""
        is_upload = scope["path"] == _UPLOAD
        most = self._limits.request_bytes if is_upload else MAX_MESSAGE
        announced = headers.get("content-length", "0")
        if not announced.isdigit() or int(announced) > most:
            raise Refused(413, f"This request has more than {most:,} bytes.")
        if scope["method"] != "POST":
            return receive
        if is_upload:
            if "content-length" not in headers:
                raise Refused(411, "Uploads must say how long they are.")
            return receive
        body = await _read(receive, most)
        _check_paths(body, self._folder)
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay():
            return next(parts, None) or await receive()

        return replay


def _check_route(scope):
    path, method = scope["path"], scope["method"]
    if method in ("GET", "HEAD"):
        known = path in _GET or path.startswith(_GET_BELOW)
    else:
        known = method == "POST" and path in _POST
    if not known or "://" in path or "%" in path:
        raise Refused(404, "There is no such page.")


async def _read(receive, most):
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Refused(400, "This request broke off.")
        body += message.get("body", b"")
        if len(body) > most:
            raise Refused(413, f"This request has more than {most:,} bytes.")
        if not message.get("more_body"):
            return body


def _check_paths(body, folder):
    """Refuse a message that names a file which was not uploaded here: Gradio would read or fetch it."""
    try:
        waiting = [json.loads(body)] if body else []
    except ValueError:
        raise Refused(400, "This is no message of the page.") from None
    prefix = f"{folder}/"
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            path = value.get("path")
            if path is not None and not (isinstance(path, str) and path.startswith(prefix) and ".." not in path):
                raise Refused(403, "This file was not uploaded here.")
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
