"""`densecolor-pack SOURCE... OUT`."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import FAILED
from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say
from densecolor.image_io import DEFAULT_MAX_PIXELS

MEDICAL = "Medical images"
WORK = "The work"


@reports_errors
def pack(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="SOURCE... OUT",
            help="Folders, zip or tar archives, list files or quoted globs; and last the folder to make.",
            show_default=False,
        ),
    ],
    layout: Annotated[
        str, typer.Option(help="auto, folder, glob, list, imagenet, places, tiny-imagenet, dicom, nifti or pairs.")
    ] = "auto",
    root: Annotated[
        Path | None, typer.Option(help="The folder that a list file's paths belong to. [default: the list's own]")
    ] = None,
    image_size: Annotated[int, typer.Option(help="Side of the packed squares in pixels.")] = 256,
    fit: Annotated[
        str,
        typer.Option(help="crop (shorter side scaled, centre kept), pad (longer side scaled, black bars) or stretch."),
    ] = "crop",
    masks: Annotated[
        str,
        typer.Option(help="none, otsu (foreground), saliency, or a folder of masks that are called like the pictures."),
    ] = "none",
    shard_size: Annotated[int, typer.Option(help="Pictures assigned to one shard.")] = 1024,
    validation_fraction: Annotated[
        float, typer.Option(help="Share of the pictures kept for validation where the source has no splits.")
    ] = 0.05,
    compression: Annotated[
        str, typer.Option(help="lzf, gzip (smaller, slower) or none (larger, fastest to read).")
    ] = "lzf",
    keep_grayscale: Annotated[bool, typer.Option("--keep-grayscale", help="Pack pictures without colour too.")] = False,
    max_pixels: Annotated[
        int, typer.Option(help="Larger pictures are refused before they are decoded.")
    ] = DEFAULT_MAX_PIXELS,
    window: Annotated[
        tuple[float, float] | None,
        typer.Option(
            help="DICOM: centre and width; NIfTI: lowest and highest value. [default: the file's own]",
            rich_help_panel=MEDICAL,
            show_default=False,
        ),
    ] = None,
    plane: Annotated[
        str | None,
        typer.Option(
            help="NIfTI: slices that are axial, coronal or sagittal. [default: axial]", rich_help_panel=MEDICAL
        ),
    ] = None,
    hash_keys: Annotated[
        bool,
        typer.Option(
            "--hash-keys",
            help="Let no name reach OUT: keys and classes are salted hashes, as always for DICOM, NIfTI and pairs.",
            rich_help_panel=MEDICAL,
        ),
    ] = False,
    mapping: Annotated[
        Path | None,
        typer.Option(
            help="Write which key is which path into this private file; given again, it makes the same keys.",
            rich_help_panel=MEDICAL,
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(help="Processes. [default: all cores]", rich_help_panel=WORK)] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS", help="Let the workers of this Dask scheduler do the work.", rich_help_panel=WORK
        ),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(
            "--verify",
            help="Pack nothing: compare OUT with its manifest and name what is damaged.",
            rich_help_panel=WORK,
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Pack pictures into shards of CIE Lab, ready for training.

    Takes folders with or without classes, zip and tar archives, list files, ImageNet, Places and Tiny ImageNet as they
    are distributed, DICOM and NIfTI; several sources at once. Pictures that are broken or have no colour are listed in
    OUT/rejected.csv with the reason; they never stop the work. Interrupted in any way, the same command goes on.

    For example:

        densecolor-pack photographs packed

        densecolor-pack tiny-imagenet-200.zip packed-tiny --image-size 64

        densecolor-pack ILSVRC2012_img_train.tar packed-imagenet --workers 16

        densecolor-pack places365_train_standard.txt packed-places --root data_256 --scheduler tcp://node1:8786

        densecolor-pack drive packed-drive --masks drive

        densecolor-pack ct cryosections packed-head --layout pairs

        densecolor-pack --verify packed
    """
    if verify:
        if len(paths) != 1:
            raise typer.BadParameter("--verify wants one packed folder and nothing else.")
        _verify(Path(paths[0]), as_json)
        return
    *sources, out = paths
    if not sources:
        raise typer.BadParameter("Name at least one source, and last the folder to make.")
    from densecolor.packing import pack as pack_pictures

    try:
        with progress_bar("Packing") as progress:
            result = pack_pictures(
                sources,
                out,
                layout=layout,
                image_size=image_size,
                fit=fit,
                masks=masks,
                shard_size=shard_size,
                workers=workers,
                validation_fraction=validation_fraction,
                compression=compression,
                keep_grayscale=keep_grayscale,
                max_pixels=max_pixels,
                root=root,
                window=window,
                plane=plane,
                hash_keys=hash_keys,
                mapping=mapping,
                scheduler=scheduler,
                progress=progress,
            )
    except KeyboardInterrupt:
        say("Give the same command again to go on.")
        raise
    if as_json:
        print(json.dumps(_summary(result), indent=1))
    else:
        _tell(result)


def _verify(out, as_json):
    from densecolor.shards import read_manifest
    from densecolor.shards import verify

    manifest = read_manifest(out)
    with progress_bar("Verifying") as progress:
        problems = verify(out, progress)
    if as_json:
        print(json.dumps({"out": str(out), "problems": problems}, indent=1))
    elif problems:
        for problem in problems:
            say(problem)
    else:
        say(f"{out} is whole: {manifest.count():,} pictures in {len(manifest.shards)} shards as the manifest says.")
    if problems:
        raise typer.Exit(FAILED)


def _summary(result):
    manifest = result.manifest
    return {
        "out": str(result.out),
        "packed": manifest.count(),
        "splits": {split: manifest.count(split) for split in manifest.splits},
        "classes": len(manifest.class_names),
        "rejected": manifest.rejected,
        "rejected_by_reason": result.rejected,
        "resumed": result.resumed,
        "bytes": sum(shard.bytes for shard in manifest.shards),
        "shards": [dataclasses.asdict(shard) for shard in manifest.shards],
        "contact_sheet": None if result.contact_sheet is None else str(result.contact_sheet),
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
    if result.contact_sheet is not None:
        say(f"See whether the masks are right: {result.contact_sheet}")
    shards = f"{len(summary['shards'])} shards, {summary['bytes'] / 1e6:,.1f} MB"
    if result.resumed == found:
        say(f"{shards}: {result.out}. It was finished already.")
        return
    if result.resumed:
        say(f"{result.resumed:,} of them had been done before.")
    rate = (found - result.resumed) / max(result.seconds, 1e-9)
    say(f"{shards}, in {result.seconds:.1f} s ({rate:,.0f} pictures/s): {result.out}")


def main():
    """Console script `densecolor-pack`."""
    run(pack)
