"""`evaluate`: models and baselines over the same pictures, one row a picture and system."""

import contextlib
from pathlib import Path

import numpy as np

from densecolor.errors import DensecolorError
from densecolor.evaluation.baselines import baselines
from densecolor.evaluation.measures import measure_picture
from densecolor.evaluation.measures import measure_truth
from densecolor.evaluation.pictures import read_picture
from densecolor.evaluation.pictures import spread
from densecolor.evaluation.pictures import to_rgb
from densecolor.evaluation.provenance import describe_data
from densecolor.evaluation.provenance import describe_versions
from densecolor.evaluation.report import claimed_folder
from densecolor.evaluation.report import write_report
from densecolor.evaluation.result import Evaluation
from densecolor.evaluation.systems import model_systems
from densecolor.shards import open_dataset


def evaluate(
    models,
    data,
    split="validation",
    report=None,
    batch_size=32,
    limit=None,
    working_size=None,
    trust=False,
    progress=None,
):
    """Measure colorizers on a packed split, beside a gray and a mean-colour baseline.

    Every system colours the same lightness; its a and b are clipped to [-128, 127] and shown as sRGB with the
    true lightness, colours outside the gamut brought back at the same hue. `densecolor.metrics` says what the
    figures mean.

    Models see L reduced to their working size. `colorize` reduces the sRGB picture instead, which is
    cheaper for large ones; on photographs the two differ by 0.1 to 0.2 of L on average.

    Args:
        models: a checkpoint, a run directory, a Keras model, or a function that keeps a model's contract
            (lightness (batch, H, W, 1) in [-1, 1] in; a dict with `ab` (batch, H, W, 2) = ab / 128 out); or a list
            of these, or a dict of names to these. The first one chooses the pictures of the report.
        data: a packed folder, or one .h5 shard.
        split: "train", "validation" or "test".
        report: folder for `metrics.json`, `per_image.csv`, `pictures.png` and `info_loss.png`; must be new, empty,
            or hold an earlier report, which is replaced. A new one is made at once.
        batch_size: pictures that a model colours at once.
        limit: measure only so many pictures, evenly spread over the split; None for all.
        working_size: side at which models predict colour, which is then enlarged; None for each model's own. Never
            more than the pictures' side.
        trust: hand checkpoints that are not densecolor's to Keras (safe mode on).
        progress: function (done, total), called after each batch.

    Returns:
        Evaluation.

    Raises:
        FileNotFoundError: the data is not there.
        OSError: the report folder cannot be written to.
        ShardError: the data is damaged or has no such split; the message lists those that it has.
        CheckpointError: a model is not there or does not load.
        DensecolorError: a model that predicts NaN or is no colorizer, names that collide, or a report folder that
            holds something else.

    Example:
        >>> result = evaluate({"dense": model, "unet": "runs/unet"}, "packed", report="reports/first")
        >>> result.results["dense"]["psnr"].mean
        23.81
    """
    for name, value in (("batch_size", batch_size), ("limit", limit), ("working_size", working_size)):
        if value is not None and value < 1:
            raise DensecolorError(f"`{name}` must be at least 1. Received: {value}.")
    folder = None if report is None else Path(report)
    with contextlib.nullcontext() if folder is None else claimed_folder(folder):
        packed = open_dataset(data, split)
        indices = spread(packed.count, limit)
        systems = model_systems(models, len(packed.class_names), trust, working_size) + baselines(data, packed)
        rows = _measure(systems, packed, indices, batch_size, progress)
        about = {
            "versions": describe_versions(),
            "data": describe_data(data, packed) | {"pictures": len(indices)},
            "systems": {system.name: system.about for system in systems},
        }
        evaluation = Evaluation(rows, about)
        if folder is not None:
            examples = {title: read_picture(packed, indices[place]) for title, place in evaluation.examples().items()}
            write_report(evaluation, systems, examples, folder)
    return evaluation


def _measure(systems, packed, indices, batch_size, progress):
    rows = []
    for start in range(0, len(indices), batch_size):
        pictures = [read_picture(packed, index) for index in indices[start : start + batch_size]]
        rows += measure_batch(systems, pictures)
        if progress:
            progress(start + len(pictures), len(indices))
    return rows


def measure_batch(systems, pictures):
    """The rows of a batch of pictures: for each picture the truth's and every system's.

    Workers can each measure a part of the pictures; `Evaluation` takes all their rows together.

    Args:
        systems: list of System.
        pictures: list of Picture of one size.

    Returns:
        list of Row.
    """
    lightness = np.stack([picture.lightness for picture in pictures])
    predictions = [system.predict(lightness) for system in systems]
    rows = []
    for i, picture in enumerate(pictures):
        rgb_true = to_rgb(picture.lightness, picture.ab)
        rows.append(measure_truth(picture, rgb_true))
        for system, (ab, classes) in zip(systems, predictions, strict=True):
            class_index = None if classes is None else int(classes[i])
            rows.append(measure_picture(system.name, picture, rgb_true, ab[i], class_index))
    return rows
