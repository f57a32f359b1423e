"""`densecolor-train DATA RUN`."""

import json
from pathlib import Path
from typing import Annotated

import typer

from densecolor.cli.common import DebugOption
from densecolor.cli.common import JsonOption
from densecolor.cli.common import VersionOption
from densecolor.cli.common import import_keras_quietly
from densecolor.cli.common import progress_bar
from densecolor.cli.common import reports_errors
from densecolor.cli.common import run as run_command
from densecolor.cli.common import say
from densecolor.errors import TrainingError


@reports_errors
def train(
    data: Annotated[Path, typer.Argument(help="A packed folder (see densecolor-pack).")],
    run: Annotated[Path, typer.Argument(help="The run directory to make: models, curves, sample pictures.")],
    model: Annotated[str | None, typer.Option(help="dense, dense_small, unet, ... [default: dense]")] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("--option", "-o", metavar="NAME=VALUE", help="An argument of the model; may be repeated."),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs in all. [default: 10]")] = None,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Steps an epoch. [default: as many as see every picture once]")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step, over all devices. [default: 16]")] = None,
    image_size: Annotated[
        int | None, typer.Option(help="Side of the random crops in pixels. [default: the whole packed picture]")
    ] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Random crops and flips. [default: augment]")
    ] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Adam's, at its highest. [default: 0.001]")] = None,
    schedule: Annotated[
        str | None, typer.Option(help="cosine (to zero at the end) or constant. [default: cosine]")
    ] = None,
    warmup_steps: Annotated[int | None, typer.Option(help="Steps of linear rise. [default: 0]")] = None,
    label_weight: Annotated[float | None, typer.Option(help="Weight of the classification loss. [default: 1]")] = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="auto, one, mirrored (all GPUs of this machine) or multiworker (all of several machines). "
            "[default: auto]"
        ),
    ] = None,
    workers: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT,...",
            help="All machines that train together, the same list for each. [default: as TF_CONFIG or SLURM say]",
        ),
    ] = None,
    worker_index: Annotated[int | None, typer.Option(help="This machine's place in --workers, from 0.")] = None,
    worker_timeout: Annotated[float, typer.Option(help="Seconds to wait at the start for the other workers.")] = 120,
    data_sharding: Annotated[
        str | None, typer.Option(help="How workers share the pictures: by element or by shard file. [default: element]")
    ] = None,
    scale_learning_rate: Annotated[
        bool | None,
        typer.Option(
            "--scale-learning-rate/--no-scale-learning-rate",
            help="Multiply the learning rate by the number of devices; best with --warmup-steps.",
        ),
    ] = None,
    sync_batchnorm: Annotated[
        bool | None,
        typer.Option(
            "--sync-batchnorm/--no-sync-batchnorm",
            help="Batch statistics over all devices. [default: where there are several]",
        ),
    ] = None,
    precision: Annotated[
        str | None, typer.Option(help="float32, mixed_float16 or mixed_bfloat16. [default: float32]")
    ] = None,
    samples: Annotated[int | None, typer.Option(help="Pictures in each epoch's sample grid. [default: 8]")] = None,
    seed: Annotated[
        int | None, typer.Option(help="Decides initial weights, order, crops and flips. [default: 0]")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Take these options from a JSON file, such as another run's config.json.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on after the last whole epoch, with the run's own options.")
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Train a colorizer on packed pictures.

    RUN will hold `best.keras` and `final.keras`, `history.csv`, TensorBoard curves and a grid of sample pictures an
    epoch. A run that was stopped goes on with `--resume`.

    Examples:

        densecolor-train packed runs/first --model dense_small --epochs 3

        densecolor-train packed runs/first --resume

        densecolor-train packed runs/paper --model dense --batch-size 8 -o branch=vgg19 -o joint=true

        densecolor-train packed runs/big --batch-size 64 --workers node1:2222,node2:2222 --worker-index 0
    """
    given = {
        "model": model,
        "model_options": dict(map(_parse_option, option)) if option else None,
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "image_size": image_size,
        "augment": augment,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "warmup_steps": warmup_steps,
        "label_weight": label_weight,
        "strategy": strategy,
        "data_sharding": data_sharding,
        "scale_learning_rate": scale_learning_rate,
        "sync_batchnorm": sync_batchnorm,
        "precision": precision,
        "samples": samples,
        "seed": seed,
    }
    given = {name: value for name, value in given.items() if value is not None}
    import_keras_quietly()
    from densecolor.training import TrainConfig
    from densecolor.training import train as train_model

    cluster = _parse_cluster(workers, worker_index)
    saved = run / "config.json"
    start_from = saved if resume and saved.exists() else config
    given["data"] = str(data)
    settings = TrainConfig.from_file(start_from, **given) if start_from else TrainConfig(**given)
    with progress_bar("Training", "steps") as progress:
        train_model(
            settings,
            run,
            resume=resume,
            progress=progress,
            report=say,
            cluster=cluster,
            worker_timeout=worker_timeout,
        )
    if as_json:
        print(json.dumps({"run": str(run), "best": str(run / "best.keras"), "final": str(run / "final.keras")}))
    else:
        say(f"Done. Look at {run / 'samples'}; use the model with: densecolor-colorize PICTURE --model {run} ...")


def _parse_cluster(workers, worker_index):
    from densecolor.training import Cluster

    if workers is None and worker_index is None:
        return None
    if workers is None or worker_index is None:
        raise TrainingError("--workers and --worker-index belong together: the whole list, and this one's place in it.")
    return Cluster([worker.strip() for worker in workers.split(",")], worker_index)


def _parse_option(text):
    name, separator, value = text.partition("=")
    if not separator:
        raise TrainingError(f"--option wants NAME=VALUE. Received: {text!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value  # a plain word, such as branch=vgg19


def main():
    """Console script `densecolor-train`."""
    run_command(train)
