"""`evaluate` and `evaluate_folders`: systems over the same pictures, one row a picture and system."""

import contextlib
from pathlib import Path

from densecolor.checkpoint import shipped_path
from densecolor.errors import DensecolorError
from densecolor.evaluation.backgrounds import background_measures
from densecolor.evaluation.engine import Options
from densecolor.evaluation.engine import measure_parts
from densecolor.evaluation.engine import part_folder
from densecolor.evaluation.folder_comparison import FolderComparison
from densecolor.evaluation.measures import DEFAULT
from densecolor.evaluation.measures import choose
from densecolor.evaluation.names import RESERVED
from densecolor.evaluation.names import TRUTH
from densecolor.evaluation.networks import Networks
from densecolor.evaluation.packed_comparison import PackedComparison
from densecolor.evaluation.parts import put_together
from densecolor.evaluation.pooled import pooled_figures
from densecolor.evaluation.provenance import describe_versions
from densecolor.evaluation.report import claimed_folder
from densecolor.evaluation.report import write_report
from densecolor.evaluation.result import Evaluation
from densecolor.evaluation.systems import named_models


def evaluate(
    models,
    data,
    split="validation",
    report=None,
    batch_size=32,
    limit=None,
    working_size=None,
    trust=False,
    measures=DEFAULT,
    backgrounds=(),
    against=None,
    workers=None,
    share=None,
    skip_damaged=False,
    networks=None,
    command=None,
    progress=None,
):
    """Measure colorizers on a packed split, beside a gray and a mean-colour baseline.

    Every system colours the same lightness; its a and b are clipped to [-128, 127] and shown as sRGB with the
    true lightness, colours outside the gamut brought back at the same hue. `densecolor.metrics` says what the
    figures mean, docs/evaluation.md how they are summed up.

    Models see L reduced to their working size. `colorize` reduces the sRGB picture instead, which is
    cheaper for large ones; on photographs the two differ by 0.1 to 0.2 of L on average.

    With a report, what has been measured is kept in a folder beside it (named like it, with ".unfinished" at the end)
    until the report is there: the same call goes on after an interruption, with the same numbers in the end. Bare
    functions as models are measured anew.

    Args:
        models: a checkpoint, a run directory, a Keras model, or a function that keeps a model's contract
            (lightness (batch, H, W, 1) in [-1, 1] in; a dict with `ab` (batch, H, W, 2) = ab / 128 out); or a list
            of these, or a dict of names to these; None: the default model, which comes with the package. The first one
            chooses the pictures of the report.
        data: a packed folder, or one .h5 shard.
        split: "train", "validation" or "test".
        report: folder for the report; must be new, empty, or hold an earlier report, which is replaced. A new one is
            made at once.
        batch_size: pictures that a model colours at once.
        limit: measure only so many pictures, evenly spread over the split; None for all.
        working_size: side at which models predict colour, which is then enlarged; None for each model's own. Never
            more than the pictures' side.
        trust: hand checkpoints that are not densecolor's to Keras (safe mode on).
        measures: "default", "all", or names (list, or one string with commas); see `MEASURES`.
        backgrounds: names (list, or one string with commas) of black, white, gray or #rrggbb: MAE, PSNR and SSIM with
            the background painted so by the packed masks, and inside the masks.
        against: name of the system that the others are tested against, picture by picture; or a checkpoint or run
            directory, which then joins the models.
        workers: threads that measure; None for one a core.
        share: (number from 1, of how many): measure only this share, for several machines that see the same report
            folder. The call without it does what is missing and writes the report.
        skip_damaged: leave out shards and pictures that cannot be read, and name them in the report.
        networks: dict of arguments of `densecolor.evaluation.networks.Networks`: a classifier that is shown the
            colorized pictures (`classifier`, `classifier_weights`, `classifier_classes`), a network for FID (`fid`,
            `fid_weights`).
        command: str, what the report says that it was made with.
        progress: function (done, total), called after each batch.

    Returns:
        Evaluation; None for a share.

    Raises:
        FileNotFoundError: the data is not there.
        OSError: the report folder cannot be written to.
        ShardError: the data is damaged, has no masks, or has no such split; the message lists those that it has.
        CheckpointError: a model is not there or does not load.
        DensecolorError: a model that predicts NaN or is no colorizer, names that collide or are unknown, or a report
            folder that holds something else.

    Example:
        >>> result = evaluate({"dense": model, "unet": "runs/unet"}, "packed", report="reports/first")
        >>> result.results["dense"]["psnr"].mean
        23.81
    """
    for name, value in (("batch_size", batch_size), ("limit", limit), ("working_size", working_size)):
        if value is not None and value < 1:
            raise DensecolorError(f"`{name}` must be at least 1. Received: {value}.")
    models, against = _with_reference(shipped_path() if models is None else models, against)
    chosen = choose(measures) | background_measures(backgrounds)
    options = Options(chosen, workers, share, skip_damaged, progress=progress)

    def comparison():
        return PackedComparison(
            models,
            data,
            split,
            batch_size,
            limit,
            working_size,
            trust,
            with_mask=bool(backgrounds),
            min_side=max(measure.min_side for measure in chosen.values()),
            skip_damaged=skip_damaged,
        )

    return _run(comparison, options, report, against, networks, command)


def evaluate_folders(
    predictions,
    truth,
    report=None,
    limit=None,
    measures=DEFAULT,
    masks=None,
    backgrounds=(),
    keep_lightness=False,
    against=None,
    workers=None,
    share=None,
    skip_damaged=False,
    networks=None,
    command=None,
    progress=None,
):
    """Measure colorized pictures in folders against the true ones, beside a gray and a mean-colour baseline.

    A prediction belongs to the truth of the same path inside its folder, whatever the suffix, and has its size. Both
    are read as sRGB, 8 bits (16 are rounded, alpha is left aside); L, a and b are computed from that. If all truths lie
    in subfolders, those are the classes of the report.

    Args:
        predictions: a folder, a list of folders, or a dict of names to folders: one system each.
        truth: folder of the true pictures.
        masks: folder of masks, named like the pictures (see `densecolor.packing.masks.files.MaskFiles`); for
            `backgrounds`.
        keep_lightness: give every prediction the truth's lightness before it is measured, so that systems that predict
            R, G and B are judged by their colours alone.
        against: name of the system that the others are tested against.
        skip_damaged: leave out pictures without a partner, of another size than the truth, or that cannot be read; the
            report names them.
        report, limit, measures, backgrounds, workers, share, networks, command, progress: as in `evaluate`.

    Returns:
        Evaluation; None for a share.

    Raises:
        ImageError: a folder or picture is missing, cannot be read, has no partner, or not its partner's size.
        DensecolorError, OSError: as in `evaluate`.

    Example:
        >>> result = evaluate_folders({"theirs": "out/theirs", "ours": "out/ours"}, "photos", against="ours")
        >>> result.tests["theirs"]["psnr"].p_holm
        0.0004
    """
    if limit is not None and limit < 1:
        raise DensecolorError(f"`limit` must be at least 1. Received: {limit}.")
    if backgrounds and masks is None:
        raise DensecolorError("Backgrounds need masks. Give a folder of masks with `masks` (--masks).")
    chosen = choose(measures) | background_measures(backgrounds)
    options = Options(chosen, workers, share, skip_damaged, progress=progress)

    def comparison():
        return FolderComparison(predictions, truth, masks, limit, keep_lightness, skip_damaged)

    return _run(comparison, options, report, against, networks, command)


def _with_reference(models, against):
    """The models and the one that they are tested against, if that is not among them; and its name."""
    if against is None:
        return models, None
    named = named_models(models)
    if against in dict(named) or str(against) in RESERVED or not Path(against).exists():
        return dict(named), against
    for name, model in named:
        if isinstance(model, str | Path) and Path(model) == Path(against):
            return dict(named), name
    ((name, _),) = named_models([against])
    if name in dict(named):
        name = str(against)
    return dict(named) | {name: against}, name


def _run(make_comparison, options, report, against, networks, command):
    folder = None if report is None else Path(report)
    with contextlib.nullcontext() if folder is None else claimed_folder(folder):
        comparison = make_comparison()
        names = [system.name for system in comparison.systems]
        if against is not None and against not in names:
            raise DensecolorError(f"There is no system {against!r} to test against. There are {', '.join(names)}.")
        if networks:
            options.networks = Networks(comparison.class_names, **networks)
        with part_folder(comparison, options, folder) as parts:
            measure_parts(comparison, options, parts)
            if options.share is not None:  # others may still be at work
                return None
            figures, sums, left_out, digest = put_together(parts, [TRUTH, *names], options.measures)
            if not len(figures):
                raise DensecolorError(
                    "Nothing is left to measure: every picture was left out. The first reason: "
                    f"{left_out[0][1] if left_out else 'there is no picture'}"
                )
            about = _describe(
                comparison, options, against, command, [*comparison.left_out, *left_out], digest, len(figures.keys)
            )
            pooled = pooled_figures(parts, sums, names, options)
            evaluation = Evaluation(figures, about, pooled, sums["ab_counts"])
            if folder is not None:
                write_report(evaluation, comparison, folder)
            parts.remove()
    return evaluation


def _describe(comparison, options, against, command, left_out, digest, count):
    data = comparison.describe_data() | {"pictures": count}
    if digest is not None:
        data["sha256"] = digest
    return {
        "command": command,
        "versions": describe_versions(),
        "data": data,
        "systems": {system.name: system.about for system in comparison.systems},
        "class_names": comparison.class_names,
        "against": against,
        "networks": options.networks.about() if options.networks else {},
        "left_out": left_out,
    }
