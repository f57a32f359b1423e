"""`densecolor-import SYSTEM FILE OUT.keras`."""

from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say
from densecolor.errors import CheckpointError


@reports_errors
def import_(
    system: Annotated[str, typer.Argument(help="Whose weights they are: chromagan, colorful, pix2pix or scgan.")],
    file: Annotated[Path, typer.Argument(help="The released weights: a .pth, .safetensors or .h5 file.")],
    out: Annotated[Path, typer.Argument(metavar="OUT.keras", help="The model file to write.")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace OUT.keras if it exists.")] = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Turn the weights that a system's authors have released into a model file for the other commands.

    Download the file from its authors yourself; their licence holds for the result too. Nothing that the file
    carries is run, and every tensor must be one of the published network. PyTorch's files need: pip install
    "densecolor[import]".

    colorful: Zhang R. et al. 2016, PyTorch. scgan: Zhao Y. et al. 2021, PyTorch. chromagan: Vitoria et al. 2020, Keras
    2. pix2pix: a generator of the PyTorch port, from L to ab.

    For example:

        densecolor-import colorful colorization_release_v2-9b330a0b.pth zhang2016.keras

        densecolor-colorize old.jpg --model zhang2016.keras --output old-colour.jpg
    """
    if out.exists() and not overwrite:
        raise CheckpointError(f"{out} exists. Name another file, or replace it with --overwrite.")
    import_keras_quietly()
    from densecolor.checkpoint import import_model
    from densecolor.checkpoint import save_model

    model = import_model(system, file)
    save_model(model, out)
    say(f"Done: {out}, {model.count_params():,} parameters. Use it with: densecolor-colorize PICTURE --model {out} ...")


def main():
    """Console script `densecolor-import`."""
    run(import_)
