"""`densecolor-inspect OUT`: what does this packed folder hold?"""

from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import console
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def inspect(
    packed: Annotated[Path, typer.Argument(metavar="OUT", help="A packed folder, or one .h5 shard.")],
    output: Annotated[
        Path | None,
        typer.Option(help="Write ab-histogram.png and contact-sheet.png into this folder, in place of earlier ones."),
    ] = None,
    ab_prior: Annotated[
        bool,
        typer.Option(
            "--ab-prior",
            help="Count how often each of the 313 colour bins is among the training pictures, and write ab-prior.json "
            "beside the shards; training `colorful` weighs rare colours by it.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Show what a packed folder holds: splits, shards, classes, sizes, options, and what was rejected.

    With --output it draws which colours the pictures have, and some of the pictures with the outlines of their masks.

    For example:

        densecolor-inspect packed

        densecolor-inspect packed --output looks

        densecolor-inspect packed --ab-prior

        densecolor-inspect packed/train-00000-of-00012.h5 --json
    """
    from densecolor.inspection import inspect as inspect_packed

    with progress_bar("Inspecting", unit="shards") as progress:
        inspection = inspect_packed(packed, output, progress, ab_prior)
    if as_json:
        print(inspection.to_json(), end="")
    else:
        console.print(inspection.table())
    for path in inspection.written:
        say(f"{'Drawn' if path.suffix == '.png' else 'Written'}: {path}")
    if output is None and packed.is_dir():
        say("With --output DIR, the colours and a contact sheet of the pictures are drawn.")


def main():
    """Console script `densecolor-inspect`."""
    run(inspect)
