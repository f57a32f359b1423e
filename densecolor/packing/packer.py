"""Pack pictures into shards: one call for a notebook, the same as the command."""

import collections
import contextlib
import csv
import dataclasses
import itertools
import os
import re
import time
from pathlib import Path

from densecolor.errors import DensecolorError
from densecolor.errors import SourceError
from densecolor.packing.encoder import BlockEncoder
from densecolor.packing.executors import available_cores
from densecolor.packing.executors import open_executor
from densecolor.packing.options import PackOptions
from densecolor.packing.plan import plan_shards
from densecolor.packing.plan import split_of
from densecolor.packing.plan import without_duplicates
from densecolor.packing.sources import open_source
from densecolor.shards import SPLITS
from densecolor.shards import Manifest
from densecolor.shards import ShardWriter
from densecolor.shards import write_manifest
from densecolor.shards.manifest import MANIFEST_NAME

REJECTED_NAME = "rejected.csv"
BLOCK_PIXELS = 1 << 20  # a block's, all pictures together: 16 pictures at 256 x 256, a message of some megabytes
BLOCK_IMAGES = 256  # at most


@dataclasses.dataclass(frozen=True)
class PackResult:
    """What `pack` did.

    Attributes:
        out: Path of the packed folder.
        manifest: its Manifest; `manifest.count()` packed, `manifest.rejected` not, all that were found.
        rejected: dict, kind of reason -> number of pictures, most frequent first.
        seconds: how long it took.
    """

    out: Path
    manifest: Manifest
    rejected: dict
    seconds: float


@dataclasses.dataclass(frozen=True)
class Rejection:
    """One picture that was not packed: a row of rejected.csv."""

    key: str
    split: str
    reason: str  # a kind, then details after a colon or in brackets


def pack(
    source,
    out,
    *,
    layout="auto",
    image_size=256,
    fit="crop",
    shard_size=1024,
    workers=None,
    validation_fraction=0.05,
    compression="lzf",
    keep_grayscale=False,
    root=None,
    progress=None,
):
    """Pack a source of pictures into shards of CIE Lab, with `manifest.json` and `rejected.csv` beside them.

    The same source and options give the same shards, byte for byte, whatever the number of workers. Pictures that
    are broken, or that have no colour to learn from, are rejected with a reason and never stop the work.

    Args:
        source: a folder, a zip archive or a list file; see `densecolor.packing.open_source`.
        out: the folder to make; if it exists, it must be empty.
        layout: "auto", "folder", "list" or "tiny-imagenet".
        image_size: side of the packed squares in pixels.
        fit: "crop" (shorter side scaled, centre kept), "pad" (longer side scaled, black bars) or "stretch".
        shard_size: pictures assigned to one shard; rejected ones leave it smaller.
        workers: number of processes, all cores if None; 1 works in this process. Above 1, a script must call this
            below `if __name__ == "__main__":`, as always with multiprocessing.
        validation_fraction: share of the pictures that become the validation split where the source has no splits
            of its own; by a hash of the key, so that adding pictures moves none.
        compression: "lzf", "gzip" (smaller, slower) or "none" (contiguous, for memory maps).
        keep_grayscale: pack pictures without colour too.
        root: the folder that a list file's paths belong to; its own folder if None.
        progress: function (done, total), called as pictures are done.

    Returns:
        PackResult.

    Raises:
        SourceError: the source is missing, not what its layout says, or without a usable picture.
        DensecolorError: an option has no such value, `out` is not empty or lies inside the source, or a worker
            died.

    Example:
        >>> result = densecolor.pack("photographs", "packed", image_size=128)
        >>> result.manifest.count("train")
        760
    """
    started = time.monotonic()
    options = PackOptions(image_size, fit, shard_size, validation_fraction, compression, keep_grayscale)
    workers = _check_workers(workers)
    out = _check_out(Path(out), Path(source))
    listing = open_source(source, layout, root)
    entries, repeated = without_duplicates(listing.entries)
    rejections = [Rejection(e.key, split_of(e, validation_fraction), "duplicate key") for e in repeated]
    out.mkdir(parents=True, exist_ok=True)
    with _no_partial_files_left(out):
        shards = _write_shards(out, listing, entries, options, workers, rejections, progress)
        _write_rejected(out / REJECTED_NAME, rejections)
        kinds = collections.Counter(re.split(r"[:(]", rejection.reason)[0].strip() for rejection in rejections)
        if len(rejections) == len(listing.entries):
            reasons = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common(5))
            raise SourceError(f"None of the images in {source} is usable ({reasons}). See {out / REJECTED_NAME}.")
        manifest = Manifest(image_size, listing.class_names, _record(options, listing), shards, len(rejections))
        write_manifest(out, manifest)
    return PackResult(out, manifest, dict(kinds.most_common()), time.monotonic() - started)


def _check_workers(workers):
    if workers is None:
        return available_cores()
    if workers < 1:
        raise DensecolorError(f"`workers` must be at least 1. Received: workers={workers}.")
    return workers


def _check_out(out, source):
    if out.exists() and not out.is_dir():
        raise DensecolorError(f"{out} is a file. Name a folder to be made.")
    if out.is_dir() and any(out.iterdir()):
        state = "a packed dataset" if (out / MANIFEST_NAME).exists() else "files, perhaps of an unfinished packing"
        raise DensecolorError(f"{out} holds {state}. Delete it, or name another folder.")
    if source.is_dir() and out.resolve().is_relative_to(source.resolve()):
        raise DensecolorError(f"{out} lies inside the source {source}. Name a folder outside it.")
    return out


@contextlib.contextmanager
def _no_partial_files_left(out):
    """Clean up also where Ctrl-C hits between the creation of a file and the code that would remove it."""
    try:
        yield
    finally:
        for path in out.glob("*.partial"):
            path.unlink()


def _write_shards(out, listing, entries, options, workers, rejections, progress):
    """Write all shards, adding to `rejections`; returns a list of ShardInfo."""
    plans = plan_shards(entries, options.shard_size, options.validation_fraction)
    block_size = max(1, min(BLOCK_IMAGES, BLOCK_PIXELS // options.image_size**2))
    blocks = {plan.name: list(_parts(plan.entries, block_size)) for plan in plans}
    tasks = list(itertools.chain.from_iterable(blocks.values()))
    shards, done = [], 0
    with open_executor(BlockEncoder(listing.files, options), min(workers, len(tasks))) as executor:
        results = executor.run(tasks)
        for plan in plans:
            writer = ShardWriter(
                out / plan.name,
                capacity=len(plan.entries),
                image_size=options.image_size,
                split=plan.split,
                class_names=listing.class_names,
                options=_record(options, listing),
                compression=options.compression,
            )
            with writer:
                for block in blocks[plan.name]:
                    encoded = next(results)
                    writer.append(encoded.block)
                    rejections += [Rejection(key, plan.split, reason) for key, reason in encoded.rejected]
                    done += len(block)
                    if progress is not None:
                        progress(done, len(entries))
            shards.append(writer.info)
    return shards


def _parts(entries, size):
    return (entries[start : start + size] for start in range(0, len(entries), size))


def _record(options, listing):
    return {"layout": listing.layout, **dataclasses.asdict(options)}


def _write_rejected(path, rejections):
    """Write rejected.csv, ordered by split and key, atomically; it has its header even when nothing was rejected."""
    partial = path.with_name(f"{path.name}.partial")
    with open(partial, "w", newline="", encoding="utf-8", errors="backslashreplace") as file:
        table = csv.writer(file)
        table.writerow([field.name for field in dataclasses.fields(Rejection)])
        order = sorted(rejections, key=lambda rejection: (SPLITS.index(rejection.split), rejection.key))
        table.writerows(dataclasses.astuple(rejection) for rejection in order)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)
