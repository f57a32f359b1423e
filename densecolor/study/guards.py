"""What surrounds every answer of the server: headers that keep browsers careful, and a bound on what is sent."""

from starlette.responses import PlainTextResponse

MAX_BODY = 4096  # bytes; an answer has about a hundred
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",  # the address holds the token
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "X-Robots-Tag": "noindex",
    "Cache-Control": "no-store",
}
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class SafeHeaders:
    """ASGI middleware that adds `HEADERS` to every response."""

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Serve one request."""

        async def send_with_headers(message):
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_HEADERS]}
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)


class TooLarge(Exception):  # noqa: N818
    """A request has more bytes than we take."""


class BoundedBody:
    """ASGI middleware that lets whole requests through: none above `MAX_BODY` bytes, and none that broke off.

    Too many bytes are refused before they are read, announced or not. A request that ends early is dropped: the half of
    an answer can look like another answer.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            body = await _read(scope, receive)
        except TooLarge:
            refusal = PlainTextResponse("This request is too large.", 413, {"Connection": "close"})
            await refusal(scope, receive, send)
            return
        if body is None:
            return
        parts = iter([{"type": "http.request", "body": body, "more_body": False}])

        async def replay():
            return next(parts, None) or await receive()

        await self._app(scope, replay, send)


async def _read(scope, receive):
    """The whole body, or None where the sender has gone."""
    announced = dict(scope["headers"]).get(b"content-length", b"0")
    if not announced.isdigit() or int(announced) > MAX_BODY:
        raise TooLarge
    body = b""
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if len(body) > MAX_BODY:
            raise TooLarge
        if not message.get("more_body"):
            return body
