"""Pack pictures into shards: one call for a notebook, the same as the command."""

import dataclasses
import functools
import hashlib
import json
import os
import shutil
import time
from pathlib import Path

from densecolor.cores import available_cores
from densecolor.errors import DensecolorError
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.packing.anonymous import write_mapping
from densecolor.packing.cluster import Cluster
from densecolor.packing.contact_sheet import write_contact_sheet
from densecolor.packing.executors import open_executor
from densecolor.packing.files import fixed_part
from densecolor.packing.job import Job
from densecolor.packing.masks import COMPUTED_MASKS
from densecolor.packing.masks import with_masks
from densecolor.packing.options import PackOptions
from densecolor.packing.plan import assign_splits
from densecolor.packing.private import hide_names
from densecolor.packing.rejected import count_kinds
from densecolor.packing.sources import open_sources
from densecolor.packing.unfinished import FOLDER_NAME
from densecolor.packing.unfinished import read_finished
from densecolor.shards import Manifest
from densecolor.shards import read_rejected

CONTACT_SHEET_NAME = "contact-sheet.jpg"


@dataclasses.dataclass(frozen=True)
class PackResult:
    """What `pack` did.

    Attributes:
        out: Path of the packed folder.
        manifest: its Manifest; `manifest.count()` packed, `manifest.rejected` not, all that were found.
        rejected: dict, kind of reason -> number of pictures, most frequent first.
        resumed: pictures that an earlier, interrupted call had done.
        contact_sheet: Path of a picture of some pictures with the outlines of their masks; None without masks.
        seconds: how long it took.
    """

    out: Path
    manifest: Manifest
    rejected: dict
    resumed: int
    contact_sheet: Path | None
    seconds: float


def pack(
    source,
    out,
    *,
    layout="auto",
    image_size=256,
    fit="crop",
    masks="none",
    shard_size=1024,
    workers=None,
    validation_fraction=0.05,
    compression="lzf",
    keep_grayscale=False,
    max_pixels=DEFAULT_MAX_PIXELS,
    root=None,
    window=None,
    plane=None,
    hash_keys=False,
    mapping=None,
    scheduler=None,
    progress=None,
):
    """Pack a source of pictures into shards of CIE Lab, with `manifest.json` and `rejected.csv` beside them.

    The same source and options give the same datasets, byte for byte, whatever the number of workers and however often
    the work was interrupted. (Where HDF5 puts them in their file may differ, and how LZF has compressed them.) Pictures
    that are broken, or that have no colour to learn from, are rejected with a reason and never stop the work.
    Interrupted in any way, the same call goes on where it was: shards that are finished are not made again.

    Args:
        source: a folder, an archive, a list file or a glob, or a list of several; see `open_sources`. Layout pairs
            wants a list of two.
        out: the folder to make; if it holds an unfinished packing with the same options, that goes on.
        layout: a name in `densecolor.packing.LAYOUTS`, or "auto".
        image_size: side of the packed squares in pixels.
        fit: "crop" (shorter side scaled, centre kept), "pad" (longer side scaled, black bars) or "stretch".
        masks: "none", "otsu" (foreground), "saliency", or a folder with a mask for every picture; then `out` has a
            contact sheet, by which a person can check them.
        shard_size: pictures assigned to one shard; rejected ones leave it smaller.
        workers: number of processes, all cores if None; 1 works in this process. Above 1, a script must call this
            below `if __name__ == "__main__":`, as always with multiprocessing.
        validation_fraction: share of the pictures that become the validation split where the source has no splits
            of its own; by a hash of the key, so that adding pictures moves none, or of the patient.
        compression: "lzf", "gzip" (smaller, slower) or "none" (contiguous, for memory maps).
        keep_grayscale: pack pictures without colour too.
        max_pixels: larger pictures are rejected before they are decoded.
        root: the folder that a list file's paths belong to; its own folder if None.
        window: for DICOM (centre, width), for NIfTI (lowest, highest); the file's own if None.
        plane: for NIfTI, "axial" (also if None), "coronal" or "sagittal" slices.
        hash_keys: let no name reach `out`: keys and classes are salted hashes. Medical layouts always do so.
        mapping: a private file for which key is which path, outside `out`; one that exists gives its salt, so that the
            keys are the same again. Keys are then hashes, whatever the layout.
        scheduler: address of a Dask scheduler, whose workers then do the work; `source` and `out` must have the same
            paths on all machines.
        progress: function (done, total), called as pictures are done.

    Returns:
        PackResult.

    Raises:
        SourceError: the source is missing, not what its layout says, or without a usable picture.
        DensecolorError: an option has no such value, `out` holds something else or lies inside the source, or a
            worker died.

    Example:
        >>> result = densecolor.pack("photographs", "packed", image_size=128)
        >>> result.manifest.count("train")
        760
    """
    started = time.monotonic()
    options = PackOptions(
        image_size=image_size,
        fit=fit,
        shard_size=shard_size,
        validation_fraction=validation_fraction,
        compression=compression,
        keep_grayscale=keep_grayscale,
        masks=masks if masks == "none" or masks in COMPUTED_MASKS else "files",
        max_pixels=max_pixels,
        window=window,
        plane=plane,
    )
    workers = _check_workers(workers)
    sources = [source] if isinstance(source, str | os.PathLike) else list(source)
    out = _check_out(Path(out), sources)
    listing = open_sources(sources, layout, root, window, plane, max_pixels)
    is_private = hash_keys or mapping is not None or listing.is_private
    if options.has_masks:
        listing = with_masks(dataclasses.replace(listing, is_private=is_private), masks)
    salt = None
    if is_private:
        # Decided by the names as they are, so that a patient is in the same split whatever the salt.
        listing = dataclasses.replace(listing, entries=assign_splits(listing.entries, validation_fraction))
        listing, salt, pairs = hide_names(listing, out, mapping)
    record = _record(options, listing)
    origin = _origin([*sources, root, masks if options.masks == "files" else None], salt)
    run = {**record, "origin": origin}
    # Without its salt a finished packing cannot be told from one of other files that are as many.
    manifest = read_finished(out, run, ignored=() if salt is None or mapping is not None else ("listing", "origin"))
    if mapping is not None:
        write_mapping(mapping, salt, pairs)
    if manifest is None:
        job = Job(listing, options, record, origin, salt, out, progress)
        manifest = job.run(functools.partial(_open_executor, workers, scheduler))
        resumed = job.resumed
    else:
        shutil.rmtree(out / FOLDER_NAME, ignore_errors=True)
        resumed = manifest.count() + manifest.rejected
    sheet = _write_sheet(out) if options.has_masks else None
    kinds = count_kinds(reason for _, _, reason in read_rejected(out, manifest.rejected))
    return PackResult(out, manifest, kinds, resumed, sheet, time.monotonic() - started)


def _check_workers(workers):
    if workers is None:
        return available_cores()
    if workers < 1:
        raise DensecolorError(f"`workers` must be at least 1. Received: workers={workers}.")
    return workers


def _check_out(out, sources):
    for source in sources:
        folder = fixed_part(Path(source))
        if folder.is_dir() and out.resolve().is_relative_to(folder.resolve()):
            raise DensecolorError(f"{out} lies inside the source {source}. Name a folder outside it.")
    return out


def _open_executor(workers, scheduler, function, tasks, advance):
    if scheduler is not None:
        return Cluster(function, scheduler, advance, function.folder)
    return open_executor(function, max(1, min(workers, tasks)), advance)


def _write_sheet(out):
    sheet = out / CONTACT_SHEET_NAME
    write_contact_sheet(out, sheet, overwrite=True)
    return sheet


def _record(options, listing):
    """All that decides the contents of the shards, in a form that JSON keeps: what a resumed packing must share."""
    digest = hashlib.sha256(json.dumps(listing.class_names).encode())
    for entry in sorted(listing.entries, key=lambda entry: entry.key):
        digest.update(f"{entry.key}\0{entry.label}\0{entry.split}\0".encode())
    record = {
        "layout": listing.layout,
        **dataclasses.asdict(options),
        "images": len(listing.entries),
        "listing": digest.hexdigest()[:16],
    }
    return json.loads(json.dumps(record))


def _origin(paths, salt):
    """What stands for the places of source, root and masks; it tells nobody where they are.

    Kept out of the shards, which are the same wherever their source lies.
    """
    digest = hashlib.blake2b(key=salt or b"", digest_size=8)
    for path in paths:
        digest.update(os.fsencode("" if path is None else os.path.realpath(path)) + b"\0")
    return digest.hexdigest()
