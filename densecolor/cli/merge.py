"""`densecolor-merge FOLDER... OUT`: one packed folder out of several."""

import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def merge(
    folders_and_out: Annotated[
        list[Path],
        typer.Argument(metavar="FOLDER... OUT", help="Packed folders, at least two, and last the folder to make."),
    ],
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Merge packed folders into a new one, without decoding a picture.

    Classes are matched by name: those of the first folder keep their labels, and new ones follow. The folders must
    hold pictures of one size, all of them with masks or none, and no picture twice.

    For example:

        densecolor-merge packed-places packed-own packed-all
    """
    if len(folders_and_out) < 3:
        raise typer.BadParameter("give at least two FOLDERs, and OUT last", param_hint="FOLDER... OUT")
    from densecolor.shards import merge as merge_packed

    *folders, out = folders_and_out
    with progress_bar("Merging") as progress:
        manifest = merge_packed(folders, out, progress)
    splits = {split: manifest.count(split) for split in manifest.splits}
    size = sum(shard.bytes for shard in manifest.shards)
    if as_json:
        summary = {"out": str(out), "packed": manifest.count(), "splits": splits}
        summary |= {"classes": len(manifest.class_names), "shards": len(manifest.shards), "bytes": size}
        print(json.dumps(summary | {"rejected": manifest.rejected}, indent=1))
    else:
        counts = ", ".join(f"{count:,} {split}" for split, count in splits.items())
        say(f"{manifest.count():,} pictures ({counts}), {len(manifest.class_names):,} classes.")
        say(f"{len(manifest.shards):,} shards, {size / 1e6:,.1f} MB: {out}")


def main():
    """Console script `densecolor-merge`."""
    run(merge)
