"""`densecolor-study new|serve|results`: ask people what they think of colours."""

import json
import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from densecolor.atomic import write_atomically
from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import console
from densecolor.cli.common import new_app
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import say

study = new_app(
    help="Ask people: make a study from systems' pictures, serve it as a web page, evaluate the answers.",
    no_args_is_help=True,
)


@study.callback()
def _common_options(version: VersionOption = False):
    pass


@study.command()
@reports_errors
def new(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder to make.")],
    truth: Annotated[Path, typer.Option(help="Folder of the true photographs.")],
    system: Annotated[
        list[str],
        typer.Option(
            metavar="NAME=DIR",
            help="A system's name and the folder of its colorized pictures, of the same names and sizes; may come "
            "repeatedly. Names are never shown to participants.",
        ),
    ],
    participants: Annotated[int, typer.Option(min=1, help="How many people can take part.")] = 20,
    turing: Annotated[int, typer.Option(min=0, help="Questions: photograph or colorized? At most one a picture.")] = 20,
    pairs: Annotated[int, typer.Option(min=0, help="Questions: which of two looks more natural?")] = 20,
    ratings: Annotated[
        int, typer.Option(min=0, help="Questions: naturalness, bleeding removal, colourfulness from 1 to 10.")
    ] = 10,
    checks: Annotated[int, typer.Option(min=0, help="Attention checks for each participant.")] = 3,
    title: Annotated[str | None, typer.Option(help="Title of the page.")] = None,
    consent: Annotated[
        Path | None, typer.Option(help="Text file for the first page, in place of ours; empty lines part paragraphs.")
    ] = None,
    address: Annotated[
        str, typer.Option(help="Where participants will reach the server, for their links.")
    ] = "http://127.0.0.1:8000",
    links: Annotated[Path | None, typer.Option(help="Write the links into this file instead of printing them.")] = None,
    max_side: Annotated[int, typer.Option(min=16, help="Pixels; larger pictures are shown reduced.")] = 1024,
    seed: Annotated[int | None, typer.Option(help="Fixes who is asked what.")] = None,
    skip_unmatched: Annotated[
        bool, typer.Option("--skip-unmatched", help="Leave out pictures that are not in every folder.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Make a study, and print a link for each participant.

    The links are not kept: a study stores only a hash of each.

    For example:

        densecolor-study new study --truth photos --system ours=out/ours --system theirs=out/theirs --links links.txt
    """
    systems = _named(system)
    if links is not None and (links.exists() or not links.parent.is_dir()):
        problem = "is there already" if links.exists() else "is in no folder that exists"
        raise typer.BadParameter(f"{links} {problem}", param_hint="--links")
    from densecolor.study import creation

    text = None if consent is None else _read_consent(consent)
    with progress_bar("Copying") as progress:
        made = creation.new(
            folder,
            truth,
            systems,
            participants=participants,
            turing=turing,
            pairs=pairs,
            ratings=ratings,
            checks=checks,
            title=creation.TITLE if title is None else title,
            consent=text,
            max_side=max_side,
            seed=seed,
            skip_unmatched=skip_unmatched,
            progress=progress,
        )
    addresses = [f"{address.rstrip('/')}/s/{token}" for token in sorted(made.tokens)]
    if links is not None:
        try:
            write_atomically(links, "".join(f"{link}\n" for link in addresses), mode=0o600)
        except OSError:
            print("\n".join(addresses))  # lost otherwise, and the study with them
            raise
    if as_json:
        summary = {"folder": str(made.folder), "pictures": made.scenes, "questions": made.questions}
        summary |= {"left_out": made.left_out, "links": None if links else addresses}
        print(json.dumps(summary, indent=1))
        return
    if links is None:
        print("\n".join(addresses))
    asked = ", ".join(f"{count} {kind}" for kind, count in made.questions.items() if count)
    left_out = f" {made.left_out:,} have no partner and are left out." if made.left_out else ""
    say(f"{made.scenes:,} pictures; {sum(made.questions.values())} questions to each participant ({asked}).{left_out}")
    say(
        f"Keep the links{f' in {links}' if links else ''}: they are stored nowhere else. "
        f"Next: densecolor-study serve {folder}"
    )


@study.command()
@reports_errors
def serve(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A study of `densecolor-study new`.")],
    host: Annotated[str, typer.Option(help="Address to listen at; by default this machine alone.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen at; 0 takes a free one.")] = 8000,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Serve a study as a web page until Ctrl-C.

    Whatever happens to the server, answers that were given are whole and stay; participants go on by their links.

    For example:

        densecolor-study serve study

        densecolor-study serve study --host 0.0.0.0 --port 8080
    """
    from densecolor.listening import is_local
    from densecolor.study import server

    if not is_local(host):
        say(
            "Others can reach this server, and nothing is encrypted. Over the internet, put it behind a server "
            "with TLS."
        )
    try:
        server.serve(folder, host, port, ready=lambda address: say(f"Serving {folder} at {address} until Ctrl-C."))
    except KeyboardInterrupt:
        say("Stopped. The same command goes on.")


@study.command()
@reports_errors
def results(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A study of `densecolor-study new`.")],
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a page, index.html, with charts, and results.json, answers.csv, turing.svg into this folder, "
            "which is new, empty, or holds an earlier report to replace."
        ),
    ] = None,
    allowed_failures: Annotated[
        int, typer.Option(min=0, help="Exclude participants who failed more attention checks than this.")
    ] = 0,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Evaluate the answers that a study has so far, also while it is served.

    How often each system's pictures are taken for photographs, which are preferred, their marks, and how far people
    agree, with 95 % intervals.

    For example:

        densecolor-study results study --report report
    """
    from densecolor.study.results import results as evaluate
    from densecolor.study.tables import as_tables

    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])
    evaluated = evaluate(folder, report, allowed_failures, command)
    if as_json:
        print(evaluated.to_json(), end="")
    else:
        for table in as_tables(evaluated):
            console.print(table)
        turnout = evaluated.turnout
        say(
            f"{turnout.took_part} of {turnout.invited} people took part, {turnout.finished} to the end; "
            f"{turnout.withdrawn} withdrew, {len(evaluated.excluded)} failed attention checks and are excluded."
        )
    if report:
        say(f"The report is in {report}.")


def _named(systems):
    named = {}
    for text in systems:
        name, separator, folder = text.partition("=")
        if not separator or not name or not folder:
            raise typer.BadParameter(f"{text!r} is no NAME=DIR", param_hint="--system")
        if name in named:
            raise typer.BadParameter(f"{name!r} comes twice", param_hint="--system")
        named[name] = Path(folder)
    return named


def _read_consent(path):
    from densecolor.errors import StudyError

    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise StudyError(f"{path} is not text in UTF-8: {error}. Save it as UTF-8.") from error


def main():
    """Console script `densecolor-study`."""
    study()
