"""`densecolor-evaluate`: how good are these models on that data?"""

import re
import shlex
import sys
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
        list[Path] | None,
        typer.Argument(
            metavar="[MODEL...] DATA",
            help="Checkpoints or run directories (none: the model that densecolor brings), and last the data: a packed "
            "folder or one .h5 shard.",
        ),
    ] = None,
    predictions: Annotated[
        list[Path] | None,
        typer.Option(help="Instead of MODEL... DATA: a folder of colorized pictures, one system; may come repeatedly."),
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="With --predictions: the folder of the true pictures, of the same names.")
    ] = None,
    split: Annotated[str, typer.Option(help="The split to measure: train, validation or test.")] = "validation",
    report: Annotated[
        Path | None,
        typer.Option(
            help="Write a page, index.html, and its parts into this folder, which is new, empty, or holds an earlier "
            "report to replace. Interrupted, the same command goes on."
        ),
    ] = None,
    measures: Annotated[
        str,
        typer.Option(help="What to measure: default, all, or names with commas (docs/evaluation.md lists them)."),
    ] = "default",
    background: Annotated[
        str,
        typer.Option(
            help="Also MAE, PSNR and SSIM with the background painted by the masks, for each of these and on average, "
            "and inside the masks: black, white, gray or #rrggbb, with commas."
        ),
    ] = "",
    masks: Annotated[Path | None, typer.Option(help="With --predictions: folder of masks for --background.")] = None,
    against: Annotated[
        str | None,
        typer.Option(
            help="Test every system against this one: its name, or a MODEL that joins. p of a paired Wilcoxon test."
        ),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option(help="Show the colorized pictures to this network (vgg16, resnet50, ...): top-1 and top-5."),
    ] = None,
    classifier_weights: Annotated[
        str | None, typer.Option(help="imagenet, which Keras downloads, or a file of the classifier's weights.")
    ] = None,
    classifier_classes: Annotated[
        Path | None,
        typer.Option(help="Text file of the classifier's classes, one a line; by default those of the data."),
    ] = None,
    fid: Annotated[str | None, typer.Option(help="FID on the pooled features of this network.")] = None,
    fid_weights: Annotated[
        str | None, typer.Option(help="imagenet, or a file of that network's weights without its top.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pictures that a model colours at once.")] = 32,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Measure only so many pictures, evenly spread over the split.")
    ] = None,
    working_size: Annotated[
        int | None,
        typer.Option(min=8, help="Side at which models predict colour; by default each model's own."),
    ] = None,
    keep_lightness: Annotated[
        bool,
        typer.Option("--keep-lightness", help="With --predictions: put the truth's lightness back before measuring."),
    ] = False,
    skip_damaged: Annotated[
        bool,
        typer.Option("--skip-damaged", help="Leave out what is damaged or has no partner, and name it in the report."),
    ] = False,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that measure; by default one a core.")] = None,
    share: Annotated[
        str | None,
        typer.Option(
            metavar="N/M",
            help="Measure only the N-th of M shares, for several machines that see the same --report folder; then the "
            "command without --share writes the report.",
        ),
    ] = None,
    trust_checkpoint: Annotated[
        bool,
        typer.Option("--trust-checkpoint", help="Load checkpoints that are not densecolor's; they may run code."),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Measure models on a packed split, or colorized pictures in folders, beside a gray and a mean-colour baseline.

    PSNR, SSIM, MAE and RMSE compare sRGB pictures; information loss compares how varied the colours are.

    Examples:

        densecolor-evaluate runs/first packed

        densecolor-evaluate runs/first runs/unet packed --report reports/comparison --measures all

        densecolor-evaluate --predictions out/theirs --predictions out/ours --truth photos --against ours

        densecolor-evaluate runs/smcgan slices --background black,white --against runs/pix2pix
    """
    models_and_data = models_and_data or []
    _check_usage(models_and_data, predictions, truth)
    import_keras_quietly()
    from densecolor import evaluation

    shared = {
        "report": report,
        "limit": limit,
        "measures": measures,
        "backgrounds": background.split(",") if background else (),
        "against": against,
        "workers": workers,
        "share": _share(share),
        "skip_damaged": skip_damaged,
        "networks": {
            "classifier": classifier,
            "classifier_weights": classifier_weights,
            "classifier_classes": classifier_classes,
            "fid": fid,
            "fid_weights": fid_weights,
        }
        if classifier or fid
        else None,
        "command": _command(),
    }
    with progress_bar("Evaluating") as progress:
        if predictions:
            result = evaluation.evaluate_folders(
                predictions, truth, masks=masks, keep_lightness=keep_lightness, progress=progress, **shared
            )
        else:
            *models, data = models_and_data
            result = evaluation.evaluate(
                models or None,
                data,
                split=split,
                batch_size=batch_size,
                working_size=working_size,
                trust=trust_checkpoint,
                progress=progress,
                **shared,
            )
    if result is None:
        say(f"Share {share} is measured. The same command without --share writes the report.")
        return
    if as_json:
        print(result.to_json(), end="")
    else:
        console.print(result.table())
    if report:
        say(f"The report is in {report}.")


def _check_usage(models_and_data, predictions, truth):
    if bool(predictions) != bool(truth):
        raise typer.BadParameter("--predictions and --truth belong together", param_hint="--predictions, --truth")
    if predictions and models_and_data:
        raise typer.BadParameter("give MODEL... DATA, or --predictions and --truth", param_hint="MODEL... DATA")
    if not predictions and (not models_and_data or models_and_data[-1].suffix == ".keras"):
        raise typer.BadParameter("give DATA last, after the models if there are any", param_hint="[MODEL...] DATA")


def _share(text):
    if text is None:
        return None
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise typer.BadParameter(f"{text!r} is no share; write 1/4 for the first of four", param_hint="--share")
    return int(match[1]), int(match[2])


def _command():
    """What the user typed, for the report."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def main():
    """Console script `densecolor-evaluate`."""
    run(evaluate)
