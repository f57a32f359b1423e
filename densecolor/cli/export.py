"""`densecolor-export MODEL --format FORMAT`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def export(
    model: Annotated[Path, typer.Argument(help="A run directory or a .keras file.")],
    format: Annotated[str, typer.Option("--format", "-f", help="onnx, openvino, saved_model or litert.")] = "onnx",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="What to write. [default: beside the model]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")] = False,
    trust_checkpoint: Annotated[
        bool,
        typer.Option(
            "--trust-checkpoint",
            help="Load a model that densecolor does not know, with Keras. Only for files of people you trust.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Write a model in a format of other programs, and check that it gives the same colours there.

    The exported model takes lightness (batch, height, width, 1), L / 50 - 1, of any size, and returns ab, a and b
    divided by 128. It is run beside Keras; the largest difference is shown, and nothing is written if it is above 0.05
    units of a and b. Formats other than saved_model and litert need: pip install "densecolor[fast]".

    For example:

        densecolor-export runs/first --format onnx --output first.onnx

        densecolor-export runs/first/best.keras --format openvino
    """
    import_keras_quietly()
    from densecolor.inference.exporting import export as export_model

    exported = export_model(model, output, format, overwrite=overwrite, trust=trust_checkpoint)
    if as_json:
        rows = [
            {"batch": shape[0], "height": shape[1], "width": shape[2], "difference": difference}
            for shape, difference in exported.differences.items()
        ]
        print(json.dumps({"output": str(exported.path), "format": exported.format, "checked": rows}, indent=1))
    largest = max(exported.differences.values())
    sizes = ", ".join(f"{height} x {width}" for _, height, width in exported.differences)
    say(f"{exported.path}: at {sizes} a and b differ from Keras by at most {largest:.2g}.")


def main():
    """Console script `densecolor-export`."""
    run(export)
