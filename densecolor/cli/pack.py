"""`densecolor-pack SOURCE OUT`."""

import dataclasses
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
def pack(
    source: Annotated[Path, typer.Argument(help="A folder of pictures, a zip archive, or a list file.")],
    out: Annotated[Path, typer.Argument(help="The folder to make.")],
    layout: Annotated[str, typer.Option(help="auto, folder, list or tiny-imagenet.")] = "auto",
    root: Annotated[
        Path | None, typer.Option(help="The folder that a list file's paths belong to. [default: the list's own]")
    ] = None,
    image_size: Annotated[int, typer.Option(help="Side of the packed squares in pixels.")] = 256,
    fit: Annotated[
        str,
        typer.Option(help="crop (shorter side scaled, centre kept), pad (longer side scaled, black bars) or stretch."),
    ] = "crop",
    shard_size: Annotated[int, typer.Option(help="Pictures assigned to one shard.")] = 1024,
    workers: Annotated[int | None, typer.Option(help="Processes. [default: all cores]")] = None,
    validation_fraction: Annotated[
        float, typer.Option(help="Share of the pictures kept for validation where the source has no splits.")
    ] = 0.05,
    compression: Annotated[
        str, typer.Option(help="lzf, gzip (smaller, slower) or none (larger, fastest to read).")
    ] = "lzf",
    keep_grayscale: Annotated[bool, typer.Option("--keep-grayscale", help="Pack pictures without colour too.")] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Pack pictures into shards of CIE Lab, ready for training.

    Takes class folders or one flat folder, ImageNet's train/val/test folders, Tiny ImageNet (the zip as it is, or
    unpacked), and list files with a path and a label on every line, as Places has them. Pictures that are broken or
    have no colour are listed in OUT/rejected.csv with the reason; they never stop the work.

    For example:

        densecolor-pack photographs packed

        densecolor-pack tiny-imagenet-200.zip packed-tiny --image-size 64

        densecolor-pack places365_train_standard.txt packed-places --root data_256 --workers 16
    """
    from densecolor.packing import pack as pack_pictures

    with progress_bar("Packing") as progress:
        result = pack_pictures(
            source,
            out,
            layout=layout,
            image_size=image_size,
            fit=fit,
            shard_size=shard_size,
            workers=workers,
            validation_fraction=validation_fraction,
            compression=compression,
            keep_grayscale=keep_grayscale,
            root=root,
            progress=progress,
        )
    if as_json:
        print(json.dumps(_summary(result), indent=1))
    else:
        _tell(result)


def _summary(result):
    manifest = result.manifest
    return {
        "out": str(result.out),
        "packed": manifest.count(),
        "splits": {split: manifest.count(split) for split in manifest.splits},
        "classes": len(manifest.class_names),
        "rejected": manifest.rejected,
        "rejected_by_reason": result.rejected,
        "bytes": sum(shard.bytes for shard in manifest.shards),
        "shards": [dataclasses.asdict(shard) for shard in manifest.shards],
        "seconds": round(result.seconds, 3),
    }


def _tell(result):
    summary = _summary(result)
    found = summary["packed"] + summary["rejected"]
    splits = ", ".join(f"{count:,} {split}" for split, count in summary["splits"].items())
    say(f"{found:,} pictures found, {summary['packed']:,} packed ({splits}), {summary['rejected']:,} rejected.")
    for reason, count in result.rejected.items():
        say(f"  {count:,} {reason}")
    if result.rejected:
        say(f"  Which ones: {result.out / 'rejected.csv'}")
    rate = found / max(result.seconds, 1e-9)
    say(
        f"{len(summary['shards'])} shards, {summary['bytes'] / 1e6:,.1f} MB, in {result.seconds:.1f} s "
        f"({rate:,.0f} pictures/s): {result.out}"
    )


def main():
    """Console script `densecolor-pack`."""
    run(pack)
