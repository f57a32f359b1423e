"""`densecolor-train DATA RUN`."""

import dataclasses
import json
import time
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
from densecolor.cli.train_arguments import parse_cluster
from densecolor.cli.train_arguments import parse_option

MODEL = "The model"
OPTIMIZER = "The optimizer"
LOSS = "The loss"
ADVERSARY = "The adversary (docs/adversarial.md)"
BEST = "Which epoch is best, and when to stop"


@reports_errors
def train(
    data: Annotated[Path, typer.Argument(help="A packed folder (see densecolor-pack).")],
    run: Annotated[Path, typer.Argument(help="The run directory to make: models, curves, sample pictures.")],
    model: Annotated[
        str | None, typer.Option(help="dense, dense_small, unet, ... [default: dense]", rich_help_panel=MODEL)
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="NAME=VALUE",
            help="An argument of the model; may be repeated.",
            rich_help_panel=MODEL,
        ),
    ] = None,
    stage: Annotated[
        int,
        typer.Option(min=1, help="Of the paper's training, where it has several (scgan: 2).", rich_help_panel=MODEL),
    ] = 1,
    start_from: Annotated[
        Path | None,
        typer.Option(
            help="Begin with the weights of this checkpoint or run, of the same model.", rich_help_panel=MODEL
        ),
    ] = None,
    unpaired: Annotated[
        Path | None,
        typer.Option(metavar="PACKED", help="Of cyclegan: the colour pictures. [default: DATA]", rich_help_panel=MODEL),
    ] = None,
    epochs: Annotated[int | None, typer.Option(help="Epochs in all. [default: 10]")] = None,
    steps_per_epoch: Annotated[
        int | None, typer.Option(help="Steps an epoch. [default: as many as see every picture once]")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Pictures a step, over all devices. [default: 16]")] = None,
    image_size: Annotated[
        int | None,
        typer.Option(
            help="Side of the random crops in pixels. [default: the whole packed picture]", rich_help_panel=MODEL
        ),
    ] = None,
    augment: Annotated[
        bool | None, typer.Option("--augment/--no-augment", help="Random crops and flips. [default: augment]")
    ] = None,
    optimizer: Annotated[
        str | None,
        typer.Option(help="adam, adamw, adadelta, rmsprop or sgd. [default: adam]", rich_help_panel=OPTIMIZER),
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="The rate at its highest. [default: 0.001]", rich_help_panel=OPTIMIZER)
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(
            help="cosine (to zero at the end), constant or step. [default: cosine]", rich_help_panel=OPTIMIZER
        ),
    ] = None,
    step_epochs: Annotated[
        int | None,
        typer.Option(help="Schedule step: epochs at one rate. [default: 10]", rich_help_panel=OPTIMIZER),
    ] = None,
    step_factor: Annotated[
        float | None,
        typer.Option(
            help="Schedule step: what the rate is multiplied by then. [default: 0.5]", rich_help_panel=OPTIMIZER
        ),
    ] = None,
    warmup_steps: Annotated[
        int | None, typer.Option(help="Steps of linear rise. [default: 0]", rich_help_panel=OPTIMIZER)
    ] = None,
    momentum: Annotated[float | None, typer.Option(help="Of sgd. [default: 0.9]", rich_help_panel=OPTIMIZER)] = None,
    weight_decay: Annotated[
        float | None, typer.Option(help="Of adamw. [default: 0.004]", rich_help_panel=OPTIMIZER)
    ] = None,
    clip_norm: Annotated[
        float | None,
        typer.Option(
            help="Scale a step's gradient down to this global norm where it is larger; 0: never. [default: 0]",
            rich_help_panel=OPTIMIZER,
        ),
    ] = None,
    ema: Annotated[
        float | None,
        typer.Option(
            metavar="MOMENTUM",
            help="Keep a moving average of the weights, over about the last 1 / (1 - MOMENTUM) steps, and validate and "
            "save it; 0: none. 0.999 is usual in long runs. [default: 0]",
            rich_help_panel=OPTIMIZER,
        ),
    ] = None,
    label_weight: Annotated[
        float | None, typer.Option(help="Weight of the classification loss. [default: 1]", rich_help_panel=LOSS)
    ] = None,
    class_weights: Annotated[
        str | None,
        typer.Option(
            help="none, or balanced: a rare class counts as much as a frequent one. [default: none]",
            rich_help_panel=LOSS,
        ),
    ] = None,
    label_smoothing: Annotated[
        float | None,
        typer.Option(
            help="Share of a label's target that is spread over all classes. [default: 0]", rich_help_panel=LOSS
        ),
    ] = None,
    perceptual: Annotated[
        str | None,
        typer.Option(
            help="Compare RGB also by VGG-16 with these weights: imagenet, which Keras downloads, or a file.",
            rich_help_panel=LOSS,
        ),
    ] = None,
    gan: Annotated[
        str | None,
        typer.Option(
            help="Discriminators judge the colours too: vanilla, vanilla-smoothed, lsgan, wgan, wgan-gp, hinge or "
            "relativistic. [default: none]",
            rich_help_panel=ADVERSARY,
        ),
    ] = None,
    gan_mask: Annotated[
        str | None,
        typer.Option(
            help="A second one sees only what is inside the mask: foreground or saliency (packed with --masks), or "
            "learned. [default: none]",
            rich_help_panel=ADVERSARY,
        ),
    ] = None,
    gan_judges: Annotated[
        str | None,
        typer.Option(help="With a mask: all, or only whole or masked. [default: all]", rich_help_panel=ADVERSARY),
    ] = None,
    gan_weight: Annotated[
        float | None, typer.Option(help="Of each one's judgement. [default: 0.01]", rich_help_panel=ADVERSARY)
    ] = None,
    gan_start: Annotated[
        int | None, typer.Option(help="Steps without them, at first. [default: 0]", rich_help_panel=ADVERSARY)
    ] = None,
    gan_discriminator_steps: Annotated[
        int | None, typer.Option(help="For each step of the colorizer. [default: 1]", rich_help_panel=ADVERSARY)
    ] = None,
    gan_discriminator_rate: Annotated[
        float | None, typer.Option(help="Their rate. [default: --learning-rate]", rich_help_panel=ADVERSARY)
    ] = None,
    gan_spectral: Annotated[
        bool | None,
        typer.Option("--gan-spectral/--no-gan-spectral", help="Normalise kernels.", rich_help_panel=ADVERSARY),
    ] = None,
    monitor: Annotated[
        str | None,
        typer.Option(
            help="ab_mse or info_loss: what is lowest, on the validation split, in the best epoch. [default: ab_mse]",
            rich_help_panel=BEST,
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            help="Stop after this many epochs without a better one; 0: never. [default: 0]", rich_help_panel=BEST
        ),
    ] = None,
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
    save_every: Annotated[
        int | None, typer.Option(help="Steps between two states to resume from. [default: 500]")
    ] = None,
    deterministic: Annotated[
        bool | None, typer.Option("--deterministic", help="The same bits from the same command on the same machine.")
    ] = None,
    threads: Annotated[
        int | None, typer.Option(help="Threads of TensorFlow. [default: as it likes; all cores if deterministic]")
    ] = None,
    skip_damaged: Annotated[
        bool | None,
        typer.Option(
            "--skip-damaged/--stop-at-damage",
            help="Name shards and pictures that cannot be read, and go on without them. [default: stop]",
        ),
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Take these options from a JSON file, such as another run's config.json.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where the run was stopped, with its own options.")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Train nothing: take ten steps and print what the run will need (memory, time). RUN is not made.",
        ),
    ] = False,
    as_json: JsonOption = False,
    debug: DebugOption = False,
    version: VersionOption = False,
):
    """Train a colorizer on packed pictures.

    RUN will hold `best.keras` and `final.keras`, `history.csv`, TensorBoard curves and a grid of sample pictures an
    epoch. A run that was stopped goes on with `--resume`: after Ctrl-C or SIGTERM with the next step, after a crash
    from the last state (see `--save-every`). With `--deterministic` it ends with the same weights, bit for bit, as
    a run that was never stopped. docs/training.md says when to use which option.

    A published model is trained as its paper did (see `--dry-run`), unless options say otherwise.

    Examples:

        densecolor-train packed runs/first --model dense_small --epochs 3

        densecolor-train packed runs/first --resume

        densecolor-train packed runs/long --epochs 100 --ema 0.999 --monitor info_loss --patience 10 --dry-run

        densecolor-train packed runs/paper --model dense --batch-size 8 -o branch=vgg19 -o joint=true

        densecolor-train packed-with-masks runs/gan --model dense --gan wgan-gp --gan-mask foreground

        densecolor-train packed runs/big --batch-size 64 --workers node1:2222,node2:2222 --worker-index 0
    """
    given = {
        "model": model,
        "model_options": dict(map(parse_option, option)) if option else None,
        "start_from": None if start_from is None else str(start_from),
        "unpaired": None if unpaired is None else str(unpaired),
        "epochs": epochs,
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "image_size": image_size,
        "augment": augment,
        "optimizer": optimizer,
        "learning_rate": learning_rate,
        "schedule": schedule,
        "step_epochs": step_epochs,
        "step_factor": step_factor,
        "warmup_steps": warmup_steps,
        "momentum": momentum,
        "weight_decay": weight_decay,
        "clip_norm": clip_norm,
        "ema": ema,
        "label_weight": label_weight,
        "class_weights": class_weights,
        "label_smoothing": label_smoothing,
        "perceptual": perceptual,
        "gan": gan,
        "gan_mask": gan_mask,
        "gan_judges": gan_judges,
        "gan_weight": gan_weight,
        "gan_start": gan_start,
        "gan_discriminator_steps": gan_discriminator_steps,
        "gan_discriminator_rate": gan_discriminator_rate,
        "gan_spectral": gan_spectral,
        "monitor": monitor,
        "patience": patience,
        "strategy": strategy,
        "data_sharding": data_sharding,
        "scale_learning_rate": scale_learning_rate,
        "sync_batchnorm": sync_batchnorm,
        "precision": precision,
        "samples": samples,
        "seed": seed,
        "save_every": save_every,
        "deterministic": deterministic,
        "threads": threads,
        "skip_damaged": skip_damaged,
    }
    given = {name: value for name, value in given.items() if value is not None}
    import_keras_quietly()
    from densecolor.training import TrainConfig
    from densecolor.training import dry_run as dry_run_training
    from densecolor.training import summarize
    from densecolor.training import train as train_model
    from densecolor.training.cluster import find_cluster
    from densecolor.training.durations import format_duration

    saved = run / "config.json"
    start_from = saved if resume and saved.exists() else config
    given["data"] = str(data)
    if start_from:
        settings = TrainConfig.from_file(start_from, **given)
    else:
        settings = TrainConfig.from_recipe(**{"model": TrainConfig.model, "stage": stage} | given)
    cluster = parse_cluster(workers, worker_index) or find_cluster(settings.strategy)
    if dry_run:
        with progress_bar("Dry run", "steps") as progress:
            plan = dry_run_training(settings, progress, report=say)
        print(json.dumps(dataclasses.asdict(plan), indent=1) if as_json else plan.text())
        return
    began = time.monotonic()
    with progress_bar("Training", "steps") as progress:
        train_model(
            settings,
            run,
            resume=resume,
            progress=progress,
            report=say,
            note=progress.note,
            cluster=cluster,
            worker_timeout=worker_timeout,
        )
    if cluster is not None and not cluster.is_chief:
        return  # the chief tells, since it alone has written
    seconds = time.monotonic() - began
    summary = summarize(run)
    if as_json:
        result = {
            "run": str(run),
            "best": str(run / "best.keras"),
            "final": str(run / "final.keras"),
            "monitored": summary.monitored,
            "best_epoch": summary.best,
            "final_epoch": summary.final,
            "seconds": round(seconds, 3),
        }
        print(json.dumps(result))
    else:
        say(f"Done in {format_duration(seconds)}.")
        say(summary.text())


def main():
    """Console script `densecolor-train`."""
    run_command(train)
