"""Look into a packed folder: one call for a notebook, the same as the command."""

from pathlib import Path

import numpy as np

from densecolor.errors import ShardError
from densecolor.inspection.ab_prior import write_ab_prior
from densecolor.inspection.colors import ab_histogram
from densecolor.inspection.colors import write_histogram
from densecolor.inspection.result import Extent
from densecolor.inspection.result import Inspection
from densecolor.inspection.result import ShardSummary
from densecolor.packing.contact_sheet import write_contact_sheet
from densecolor.packing.rejected import count_kinds
from densecolor.shards import open_shard
from densecolor.shards import read_manifest
from densecolor.shards import read_rejected

HISTOGRAM_NAME = "ab-histogram.png"
CONTACT_SHEET_NAME = "contact-sheet.png"


def inspect(path, output=None, progress=None, ab_prior=False):
    """Say what a packed folder, or one shard, holds.

    All shards are opened, but only the pictures that are drawn are read: up to 1,000 for the histogram and 64 for
    the contact sheet, evenly spread over all splits and shards.

    Args:
        path: a folder that densecolor-pack made, or one .h5 shard.
        output: a folder to write `ab-histogram.png` and `contact-sheet.png` into, in place of earlier ones; None draws
            nothing. Only for a packed folder.
        progress: function (done, total), called as shards are opened.
        ab_prior: also write `ab-prior.json` beside the shards: how often each of the 313 bins of a and b is among the
            colours of the training pictures (see `densecolor.inspection.ab_prior`). Only for a packed folder.

    Returns:
        Inspection.

    Raises:
        FileNotFoundError: there is nothing at `path`, or a shard is missing.
        ShardError: not a packed folder, or damaged; or `output` or `ab_prior` is given and `path` is a single shard.

    Example:
        >>> inspection = inspect("packed", output="looks")
        >>> inspection.count("train"), inspection.heights.median
        (760, 375.0)
    """
    path = Path(path)
    if path.is_file():
        if output is not None or ab_prior:
            wanted = "pictures are drawn" if output is not None else "colours are counted"
            raise ShardError(f"{path} is one shard; {wanted} of a whole packed folder. Name {path.parent}.")
        return _inspect_shards(path, [path], progress)
    manifest = read_manifest(path)
    reasons = count_kinds(reason for _, _, reason in read_rejected(path, manifest.rejected))
    paths = [path / info.name for info in manifest.shards]
    written = [] if output is None else _draw(path, Path(output))
    written += [write_ab_prior(path)] if ab_prior else []
    return _inspect_shards(
        path, paths, progress, options=manifest.options, rejected=manifest.rejected, reasons=reasons, written=written
    )


def _draw(path, output):
    output.mkdir(parents=True, exist_ok=True)
    histogram, sheet = output / HISTOGRAM_NAME, output / CONTACT_SHEET_NAME
    write_histogram(ab_histogram(path), histogram)
    write_contact_sheet(path, sheet, limit=64, overwrite=True)
    return [histogram, sheet]


def _inspect_shards(path, paths, progress, **facts):
    summaries, class_counts, sizes = [], {}, [np.empty((0, 2), np.int32)]
    for done, shard_path in enumerate(paths, 1):
        with open_shard(shard_path) as shard:
            summaries.append(_summarize(shard))
            sizes.append(shard.original_sizes)
            class_counts[shard.split] = class_counts.get(shard.split, 0) + _count_classes(shard)
        if progress is not None:
            progress(done, len(paths))
    sizes = np.concatenate(sizes)
    return Inspection(
        path=path,
        image_size=shard.image_size,
        class_names=shard.class_names,
        shards=summaries,
        class_counts={split: counts.tolist() for split, counts in class_counts.items()},
        heights=Extent.of(sizes[:, 0]),
        widths=Extent.of(sizes[:, 1]),
        **{"options": shard.options, **facts},
    )


def _count_classes(shard):
    known = shard.labels[(shard.labels >= 0) & (shard.labels < len(shard.class_names))]
    return np.bincount(known, minlength=len(shard.class_names))


def _summarize(shard):
    return ShardSummary(
        name=shard.path.name,
        split=shard.split,
        count=shard.count,
        bytes=shard.path.stat().st_size,
        labelled=int((shard.labels >= 0).sum()),
        has_masks=shard.mask is not None,
    )
