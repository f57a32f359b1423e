"""`densecolor-evaluate`: how good are these models on that data?"""

from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import console
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run
from densecolor.cli.common import say


@reports_errors
def evaluate(
    models_and_data: Annotated[
        list[Path],
        typer.Argument(
            metavar="MODEL... DATA",
            help="Checkpoints or run directories, and last the data: a packed folder or one .h5 shard.",
        ),
    ],
    split: Annotated[str, typer.Option(help="The split to measure: train, validation or test.")] = "validation",
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write metrics.json, per_image.csv, pictures.png and info_loss.png into this folder, which is new, "
            "empty, or holds an earlier report to replace."
        ),
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures that a model colours at once.")] = 32,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Measure only so many pictures, evenly spread over the split.")
    ] = None,
    working_size: Annotated[
        int | None,
        typer.Option(min=8, help="Side at which models predict colour; by default each model's own."),
    ] = None,
    trust_checkpoint: Annotated[
        bool,
        typer.Option("--trust-checkpoint", help="Load checkpoints that are not densecolor's; they may run code."),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Measure models on a packed split, beside a gray and a mean-colour baseline.

    PSNR, SSIM, MAE and RMSE compare sRGB pictures; information loss compares how varied the colours are.

    Examples:

        densecolor-evaluate runs/first packed

        densecolor-evaluate runs/first runs/unet packed --report reports/comparison

        densecolor-evaluate model.keras packed --split test --limit 500 --json
    """
    if len(models_and_data) < 2:
        raise typer.BadParameter("give at least one MODEL, and DATA last", param_hint="MODEL... DATA")
    import_keras_quietly()
    from densecolor import evaluation

    *models, data = models_and_data
    with progress_bar("Evaluating") as progress:
        result = evaluation.evaluate(
            models,
            data,
            split=split,
            report=report,
            batch_size=batch_size,
            limit=limit,
            working_size=working_size,
            trust=trust_checkpoint,
            progress=progress,
        )
    if as_json:
        print(result.to_json(), end="")
    else:
        console.print(result.table())
    if report:
        say(f"The report is in {report}.")


def main():
    """Console script `densecolor-evaluate`."""
    run(evaluate)
