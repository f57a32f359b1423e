"""`densecolor-colorize IMAGE... --output PATH`."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import FAILED
from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def colorize(
    images: Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Pictures, folders of them, or globs.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="A folder; for one picture also a file name, such as out.png.")
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            "--model", "-m", help="A run directory or a .keras file. [default: the one that densecolor brings]"
        ),
    ] = None,
    working_size: Annotated[
        int | None,
        typer.Option(min=8, help="Colour is predicted at this size squared pixels. [default: the model's own]"),
    ] = None,
    upsampling: Annotated[
        str,
        typer.Option(help="guided: colour follows the edges of the full-size picture. bilinear: plainly enlarged."),
    ] = "guided",
    native: Annotated[
        bool, typer.Option("--native", help="Predict at each picture's full size, in tiles without seams. Slow.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run: leave alone what it has done.")
    ] = False,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Pictures in work at a time. [default: one more than the cores]")
    ] = None,
    trust_checkpoint: Annotated[
        bool,
        typer.Option(
            "--trust-checkpoint",
            help="Load a model that densecolor does not know, with Keras. Only for files of people you trust.",
        ),
    ] = False,
    runtime: Annotated[
        str,
        typer.Option(
            help="What runs the model: keras, openvino or onnx, or auto, the fastest that is installed and worth it. "
            'Needs pip install "densecolor[fast]".'
        ),
    ] = "auto",
    precision: Annotated[
        str, typer.Option(help="auto lets OpenVINO compute in bfloat16 where that is faster; float32 never.")
    ] = "auto",
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Colorize grayscale pictures: JPEG, PNG, TIFF, WebP, GIF and BMP, of any size, 8 or 16 bits.

    Lightness, depth and transparency are kept; the colours of a colour picture are ignored. In an output folder
    every picture keeps its name (GIF and BMP become PNG) and its place below the folder that was named. A picture that
    fails is named and stops no other; the exit status is then 1.

    Examples:

        densecolor-colorize photo.jpg --output photo-colour.jpg

        densecolor-colorize portrait.jpg --output portrait-colour.png --model runs/first

        densecolor-colorize scans "more/*.tif" --output colour --model runs/first/best.keras --resume
    """
    import_keras_quietly()
    from densecolor.inference import colorize_files

    with progress_bar("Colorizing") as progress:
        results = colorize_files(
            images,
            output,
            model,
            working_size=working_size,
            upsampling=upsampling,
            native=native,
            overwrite=overwrite,
            resume=resume,
            threads=threads,
            trust=trust_checkpoint,
            runtime=runtime,
            precision=precision,
            progress=progress,
            note=say,
        )
    failed = [result for result in results if result.error]
    skipped = sum(result.skipped for result in results)
    if as_json:
        print(json.dumps([dataclasses.asdict(result) for result in results], indent=1, default=str))
    for result in failed:
        say(f"error: {result.error}")
    before = f", {skipped} of them before" if skipped else ""
    say(f"{len(results) - len(failed)} of {len(results)} pictures colorized into {output}{before}.")
    if failed:
        raise typer.Exit(FAILED)


def main():
    """Console script `densecolor-colorize`."""
    run(colorize)
