"""`densecolor-web`: a page to drop pictures on."""

from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.colorize_arguments import TrustOption
from densecolor.cli.common import DebugOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def web(
    model: Annotated[
        list[Path],
        typer.Option(help="Checkpoint or run directory to offer beside the default model; may come repeatedly."),
    ] = (),
    host: Annotated[str, typer.Option(help="Address to listen at; by default this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 7860,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="DENSECOLOR_WEB_TOKEN",
            help="Secret that people must have in their address. By default a random one, and none where only this "
            "machine is served.",
        ),
    ] = None,
    name: Annotated[
        list[str], typer.Option(help="Another name under which people reach the server; may come repeatedly.")
    ] = (),
    max_megabytes: Annotated[int, typer.Option(min=1, help="Larger files are refused.")] = 64,
    max_megapixels: Annotated[int, typer.Option(min=1, max=268, help="Larger pictures are refused.")] = 64,
    max_files: Annotated[int, typer.Option(min=1, help="How many files a batch may have.")] = 100,
    keep_minutes: Annotated[int, typer.Option(min=1, help="Uploads and results are removed after so long.")] = 60,
    trust_checkpoint: TrustOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Serve a page to drop pictures on, until Ctrl-C: colorize, compare, download, one or many.

    Pictures stay on this machine, and are removed from it after an hour and when the server ends.

    For example:

        densecolor-web

        densecolor-web --model runs/first --host 0.0.0.0 --port 8080
    """
    import_keras_quietly()
    from densecolor.listening import is_local
    from densecolor.web import Limits
    from densecolor.web import serve

    if not is_local(host):
        say(
            "Others can reach this server if they know its address with the token, and nothing is encrypted. Over the "
            "internet, put it behind a server with TLS."
        )
    try:
        serve(
            model,
            host,
            port,
            token,
            Limits(max_megabytes, max_megapixels, max_files, keep_minutes),
            name,
            trust_checkpoint,
            ready=lambda address: say(f"Open {address} in a browser. Ctrl-C ends the server."),
        )
    except KeyboardInterrupt:
        say("Stopped, and everything that was uploaded is removed.")


def main():
    """Console script `densecolor-web`."""
    run(web)
