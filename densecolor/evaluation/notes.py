"""What must be known to read the figures of an evaluation, in sentences."""

import numpy as np

from densecolor.evaluation import statistics
from densecolor.evaluation.names import MEAN_COLOUR


def notes_on(evaluation):
    """The notes under an evaluation's table.

    Args:
        evaluation: Evaluation.

    Returns:
        list of str.
    """
    return [note for function in _NOTES for note in function(evaluation)]


def _data(evaluation):
    data = evaluation.about["data"]
    pictures = f"{data['pictures']} of {data['pictures_in_split']} pictures of {_split(data)}{data['name']}"
    size = data["image_size"]
    size = f", {size} x {size}" if size else ""
    yield (
        f"{pictures}{size}. ± is half the {statistics.CONFIDENCE} % bootstrap "
        f"interval of the mean ({statistics.RESAMPLES} resamples, seed {statistics.SEED}); "
        "the gain on gray is PSNR minus grayscale's, picture by picture."
    )


def _split(data):
    return f"split {data['split']} of " if data.get("split") else ""


def _mean_colour(evaluation):
    mean = evaluation.about["systems"][MEAN_COLOUR]
    source = f"split {mean['from_split']}" if mean["from_split"] else "the truth"
    yield f"Mean colour: a = {mean['ab'][0]:.1f}, b = {mean['ab'][1]:.1f}, of {mean['pictures']} pictures of {source}."


def _left_out_of_psnr(evaluation):
    if evaluation.colorless.any():
        yield (
            f"{int(evaluation.colorless.sum())} pictures have no colour; gray equals them exactly, so they are left "
            "out of every PSNR."
        )
    for system, count in evaluation.equal_pairs.items():
        if count:
            yield (
                f"{system} equals the truth on {count} pictures that have colour (infinite PSNR); they are left "
                "out of its PSNR."
            )


def _without_a_figure(evaluation):
    first = evaluation.systems[0]
    for name in ("ssim", "ssim_gaussian", "ssim_range2"):
        if name in evaluation.figures.measures:
            count = int(np.isnan(evaluation.columns[first][name]).sum())
            if count:
                side = evaluation.measures[name].min_side
                yield f"{count} pictures are smaller than {side} x {side} pixels and have no {name}."
    inside = [name for name in evaluation.figures.measures if name.endswith("_inside")]
    if inside:
        count = int(np.isnan(evaluation.columns[first][inside[0]]).sum())
        if count:
            yield f"{count} pictures have an empty mask (or are too small) and no figure on backgrounds or in the mask."


def _left_out(evaluation):
    left_out = evaluation.about.get("left_out") or []
    if left_out:
        yield f"{len(left_out)} were left out, damaged or without a partner; metrics.json names each."


def _tests(evaluation):
    against = evaluation.about.get("against")
    if against:
        yield (
            f"p: two-sided Wilcoxon signed-rank test of the differences to {against}, picture by picture, with Holm's "
            f"correction over the {len(evaluation.systems) - 1} systems of a row."
        )


_NOTES = (_data, _mean_colour, _left_out_of_psnr, _without_a_figure, _left_out, _tests)
