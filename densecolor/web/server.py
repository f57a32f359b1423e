"""Serving the page until it is stopped."""

import contextlib
import os
import secrets
import signal
import threading

from densecolor.errors import WebError
from densecolor.errors import require_package
from densecolor.listening import address_of
from densecolor.listening import is_local
from densecolor.listening import listen
from densecolor.web.limits import Limits
from densecolor.web.storage import private_folder

_LEAST_TOKEN = 16  # characters
_QUIET = {
    "GRADIO_ANALYTICS_ENABLED": "False",
    "GRADIO_RUN_HISTORY": "False",
    "GRADIO_SSR_MODE": "False",
    "GRADIO_MCP_SERVER": "False",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
}


def serve(models=(), host="127.0.0.1", port=7860, token=None, limits=None, names=(), trust=False, ready=None):
    """Serve the page until Ctrl-C or SIGTERM.

    What is uploaded and made lies in one private folder of the system's temporary folder, and is removed when it is
    old and when the server ends. Nothing is logged of it, and nothing is sent or loaded from elsewhere.

    Args:
        models: list of paths of checkpoints or run directories that are offered beside the default model.
        host: address to listen at; the default is reached from this machine alone.
        port: to listen at; 0 takes a free one.
        token: str of at least 16 characters that people must have in their address; None for none where the address
            is reached from this machine alone, and for a random one elsewhere.
        limits: `Limits`, or None for the default ones.
        names: list of str, more names under which people reach the server.
        trust: see `densecolor.load_model`.
        ready: function of the address, with its token, called when the server listens.

    Raises:
        WebError: the address is taken, or the token is short.
        CheckpointError: a model cannot be loaded.
        DensecolorError: the extra is missing.

    Example:
        >>> densecolor.web.serve(["runs/first"], ready=print)
        http://127.0.0.1:7860
    """
    limits = limits or Limits()
    if token is not None and len(token) < _LEAST_TOKEN:
        raise WebError(f"A token must have at least {_LEAST_TOKEN} characters. Received: {len(token)}.")
    if token is None and not is_local(host):
        token = secrets.token_urlsafe(24)
    os.environ.update(_QUIET)  # before Gradio is imported, which asks once
    require_package("gradio", "web")
    from densecolor.web.models import load_models

    with listen(host, port, WebError) as listener, private_folder(limits.seconds) as folder, _ended_by_sigterm():
        uploads = folder / "uploads"
        os.environ |= {"GRADIO_TEMP_DIR": str(uploads), "GRADIO_EXAMPLES_CACHE": str(folder / "examples")}
        server = _server(load_models(models, trust), folder, limits, {"host": host, "token": token, "names": names})
        if ready:
            ready(address_of(host, listener) + (f"/?token={token}" if token else ""))
        server.run(sockets=[listener])


def _server(models, folder, limits, guarding):
    import fastapi
    import gradio
    import uvicorn

    from densecolor.web.guards import Guard
    from densecolor.web.page import Page
    from densecolor.web.page import theme

    jobs, uploads = folder / "jobs", folder / "uploads"
    jobs.mkdir()
    uploads.mkdir()
    page = Page(models, jobs, limits).build()
    page.queue(max_size=32, default_concurrency_limit=1)
    app = gradio.mount_gradio_app(
        fastapi.FastAPI(openapi_url=None, docs_url=None, redoc_url=None),
        page,
        path="/",
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        mcp_server=False,
        pwa=False,
        enable_monitoring=False,
        show_error=False,  # of ours alone, which are messages; others are for whoever runs the server
        max_file_size=limits.file_bytes,
        theme=theme(),
    )
    return uvicorn.Server(
        uvicorn.Config(
            Guard(app, folder=uploads, limits=limits, **guarding),
            log_level="warning",
            access_log=False,  # it would tell the token and names of files
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
    )


@contextlib.contextmanager
def _ended_by_sigterm():
    """Let SIGTERM do what Ctrl-C does, so that the private folder is removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
