"""Many pictures, from files to files."""

import dataclasses
import os
import pathlib

import cv2

import densecolor
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.inference import runtimes
from densecolor.inference.file_colorizer import FileColorizer
from densecolor.inference.file_colorizer import reason_of
from densecolor.inference.identity import identify_model
from densecolor.inference.overlapped import Overlapped
from densecolor.inference.overlapped import available_cores
from densecolor.inference.plan import is_one_file
from densecolor.inference.plan import plan_outputs
from densecolor.inference.plan import refuse_existing
from densecolor.inference.record import Record
from densecolor.inference.tile_model import TileModel
from densecolor.inference.upsampling import UPSAMPLINGS


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one picture.

    Attributes:
        source: its path.
        output: where its colours are, or would be.
        error: why it was not colorized, or None.
        skipped: whether an earlier run had colorized it, so that this one did not.
    """

    source: pathlib.Path
    output: pathlib.Path
    error: str | None = None
    skipped: bool = False


def colorize_files(
    paths,
    output,
    model=None,
    *,
    working_size=None,
    upsampling="guided",
    native=False,
    overwrite=False,
    resume=False,
    trust=False,
    threads=None,
    runtime="auto",
    precision="auto",
    progress=None,
    note=None,
):
    """Colorize files, folders and globs; a picture that fails is reported and stops none of the others.

    One file and an `output` with a picture's suffix give that file. Else `output` is a folder, where every picture
    has its place (see `densecolor.inference.plan_outputs`). A picture's depth and alpha are kept where its format has
    them (see `image_io.encode_image`).

    Decoding and encoding go on in threads while the network is at work. An output folder holds a record,
    `.densecolor.jsonl`, of what was made from what, so that `resume` can go on after any interruption.

    Args:
        paths: str or path, or list of them: files, folders (searched with their subfolders) or globs.
        output: str or path.
        model: Keras model, or path of a checkpoint or run directory, loaded once; None: the default model, which comes
            with the package.
        working_size: see `colorize`.
        upsampling: see `colorize`.
        native: see `colorize`.
        overwrite: bool; False refuses before any work if one of the outputs exists.
        resume: bool; leave alone the outputs that were made by the same model and settings from the same files (by
            their size and time), and do again those that were begun and not finished. `output` must be a folder.
        trust: bool, for a `model` that is a path: see `densecolor.load_model`.
        threads: int, pictures in work at a time; None takes one more than there are processor cores.
        runtime, precision: what runs the model, see `inference.runtimes.load`.
        progress: function `(done, total)`, called after each picture, or None.
        note: function of a str, told what is worth knowing; None for `warnings.warn`.

    Returns:
        list of `Result`, in the order of `image_io.find_images`.

    Raises:
        ImageError: an input does not exist, all are earlier outputs, two pictures would get the same output, an
            output is an input, or exists already.
        CheckpointError: the model cannot be loaded, or is none that colorizes (see `colorize`).
        DensecolorError: `threads` or `working_size` is less than 1, or `resume` has no folder to look at; the runtime
            is unknown or not installed, or the model cannot be exported for it.

    Example:
        >>> results = colorize_files(["scans", "more/*.png"], "colour", model="runs/first", resume=True)
        >>> [result.source for result in results if result.error]
        []
    """
    _require_positive(working_size=working_size, threads=threads)
    require_choice("upsampling", upsampling, UPSAMPLINGS)
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    output = pathlib.Path(output)
    plan = plan_outputs(paths, output)
    order = list(plan)
    one_file = is_one_file(paths, output)
    if one_file and resume:
        raise DensecolorError(f"`resume` goes on in a folder of outputs. Received: the file {output}.")
    if not resume and not overwrite:
        refuse_existing(plan.values())  # before the model is loaded, which takes its time
    runtime = _runtime_for_tiles(runtime) if native else runtime
    model = runtimes.load(model, runtime, precision=precision, trust=trust, pictures=len(plan), note=note)
    options = {"working_size": working_size, "upsampling": upsampling, "native": native}
    settings = {"model": identify_model(model), **options, "version": densecolor.__version__}
    if native:
        model = TileModel(model)
    with Record(output.parent if one_file else output, settings, kept=not one_file) as record:
        done = [source for source, target in plan.items() if resume and record.is_done(source, target)]
        results = {source: Result(source, plan.pop(source), skipped=True) for source in done}
        if not overwrite:
            refuse_existing(target for target in plan.values() if not record.is_unfinished(target))
        if progress is not None and results:
            progress(len(results), len(order))
        for result in _colorize_all(plan, model, record, options, threads):
            results[result.source] = result
            if progress is not None:
                progress(len(results), len(order))
    return [results[source] for source in order]


def _colorize_all(plan, model, record, options, threads):
    """Yield the result of every picture as it comes."""
    overlapped = Overlapped(min(threads or available_cores() + 1, len(plan)))
    colorizer = FileColorizer(overlapped.serve(model), record, overlapped.check, options)

    def work(task):
        source, target = task
        try:
            colorizer.colorize(source, target)
        except CheckpointError:
            raise  # of the model, so that no other picture would fare better
        except (DensecolorError, OSError, MemoryError, cv2.error) as error:
            return Result(source, target, reason_of(source, error))
        return Result(source, target)

    yield from overlapped.run(work, plan.items())


def _runtime_for_tiles(runtime):
    """Keras alone lets a network be taken apart for tiles."""
    if runtime not in ("auto", "keras"):
        raise DensecolorError(f"Pictures at their full size are predicted by Keras. Received: runtime={runtime!r}.")
    return "keras"


def _require_positive(**values):
    for name, value in values.items():
        if value is not None and value < 1:
            raise DensecolorError(f"`{name}` must be at least 1. Received: {value}.")
