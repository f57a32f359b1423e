"""Many pictures, from files to files."""

import dataclasses
import functools
import os
import pathlib
import warnings

import cv2

from densecolor.cores import available_cores
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.errors import require_choice
from densecolor.inference import runtimes
from densecolor.inference.control import check_control
from densecolor.inference.control import controlled
from densecolor.inference.file_colorizer import Colouring
from densecolor.inference.file_colorizer import FileColorizer
from densecolor.inference.file_colorizer import Form
from densecolor.inference.file_colorizer import reason_of
from densecolor.inference.hints import read_hints
from densecolor.inference.identity import identify_model
from densecolor.inference.overlapped import Overlapped
from densecolor.inference.panels import labels_of
from densecolor.inference.plan import is_one_file
from densecolor.inference.plan import number_outputs
from densecolor.inference.plan import plan_outputs
from densecolor.inference.plan import refuse_existing
from densecolor.inference.record import Record
from densecolor.inference.sidecar import sidecar_path
from densecolor.inference.tile_model import TileModel
from densecolor.inference.upsampling import UPSAMPLINGS
from densecolor.inference.volumes import Reading
from densecolor.inference.volumes import takes_window

# The network has all cores to itself at times, and a thread that waits for it none.
THREADS_PER_CORE = 2


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one picture.

    Attributes:
        source: its path.
        output: where its colours are, or would be.
        error: why it was not colorized, or None.
        skipped: whether an earlier run had colorized it, so that this one did not.
        note: what else is worth knowing, or None.
        outputs: paths of all outputs, where there are several samples; `output` is the first.
    """

    source: pathlib.Path
    output: pathlib.Path
    error: str | None = None
    skipped: bool = False
    note: str | None = None
    outputs: tuple = ()


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
    saturation=1.0,
    temperature=None,
    samples=None,
    seed=0,
    hints=None,
    side_by_side=False,
    compare=(),
    sidecar=False,
    skip_color=False,
    window=None,
    plane="axial",
    identity=True,
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
    them (see `image_io.encode_image`). DICOM files give DICOM, NIfTI volumes NIfTI and TIFFs of several pages such
    TIFFs, slice by slice, which say that their colours are predicted and not for diagnosis.

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
        saturation: see `controlled`.
        temperature: see `controlled`; of all models that are compared.
        samples: int, how many colourings of each picture a diverse model gives (see `controlled`): "a.png" becomes
            "a-1.png" and so on. None for the model's first choice.
        seed: int, of the first sample; the next ones follow it.
        hints: see `colorize`; for one picture, and not with `compare`.
        side_by_side: bool; write gray and colour (of all samples) in one picture, at full size and depth.
        compare: more models, as `model`; one 8-bit picture then shows gray and what each makes of it, in a grid, every
            one at most 1,024 pixels large.
        sidecar: bool; write "a.png.json" too: model, settings, hashes, and what bringing colours into sRGB cost.
        skip_color: bool; keep pictures that are in colour already (see `is_in_color`) as they are. False replaces their
            colours, with a note.
        window: of gray values: (centre, width) for DICOM, (lowest, highest) for NIfTI and TIFF. None takes DICOM's own,
            or the range of all its frames; for NIfTI the 0.5th to the 99.5th percentile; TIFF as it is.
        plane: "axial", "coronal" or "sagittal": of the slices that the model sees of NIfTI volumes.
        identity: bool; False copies nothing of patient and study into DICOM files.
        trust: bool, for a `model` that is a path: see `densecolor.load_model`.
        threads: int, pictures in work at a time; None takes twice as many as there are processor cores.
        runtime, precision: what runs the model, see `inference.runtimes.load`.
        progress: function `(done, total)`, called after each picture, and where there is only one after each of its
            slices; or None.
        note: function of a str, told what is worth knowing; None for `warnings.warn`.

    Returns:
        list of `Result`, in the order of `image_io.find_images`.

    Raises:
        ImageError: an input does not exist, all are earlier outputs, two pictures would get the same output, an
            output is an input, or exists already.
        CheckpointError: the model cannot be loaded, or is none that colorizes (see `colorize`).
        DensecolorError: a number is out of range, options do not go together, a model has no samples or no
            temperature, or `resume` has no folder to look at; the runtime is unknown or not installed, or the model
            cannot be exported for it.

    Example:
        >>> results = colorize_files(["scans", "more/*.png"], "colour", model="runs/first", resume=True)
        >>> [result.source for result in results if result.error]
        []
    """
    _require_positive(working_size=working_size, threads=threads, samples=samples)
    require_choice("upsampling", upsampling, UPSAMPLINGS)
    compare = list(compare)
    if compare and (side_by_side or samples):
        raise DensecolorError("`compare` makes a picture of its own: it does not go with `side_by_side` or `samples`.")
    hints = read_hints(hints)
    if hints is not None and compare:
        raise DensecolorError("`hints` do not go with `compare`, which shows pictures at another size.")
    paths = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    output = pathlib.Path(output)
    reading = Reading(window, plane, identity)
    plan = plan_outputs(paths, output, pictures_only=side_by_side or bool(compare))
    if hints is not None and len(plan) > 1:
        raise DensecolorError(f"`hints` belong to one picture. Received: {len(plan)} pictures. Name one of them.")
    if window is not None and not any(map(takes_window, plan)):
        raise DensecolorError("`window` is for DICOM, NIfTI and TIFF files. None of the pictures is one.")
    plan = number_outputs(plan, samples) if samples and not side_by_side else {k: [v] for k, v in plan.items()}
    one_file = is_one_file(paths, output)
    if one_file and resume:
        raise DensecolorError(f"`resume` goes on in a folder of outputs. Received: the file {output}.")
    if not resume and not overwrite:
        refuse_existing(_files_of(plan, sidecar))  # before the model is loaded, which takes its time
    runtime = _runtime_of_keras(runtime) if native or samples or temperature is not None else runtime
    models = [
        runtimes.load(each, runtime, precision=precision, trust=trust, pictures=len(plan), note=note)
        for each in [model, *compare]
    ]
    labels = labels_of([model, *compare])
    seeds = range(seed, seed + samples) if samples else [None]
    for each in models:
        check_control(each, saturation, temperature, seeds[-1])
    form = Form(side_by_side, bool(compare), sidecar, skip_color)
    options = {"working_size": working_size, "upsampling": upsampling, "native": native}
    control = {"saturation": saturation, "temperature": temperature}
    settings = {
        "models": [
            {"name": label, "class": type(each).__name__, "sha256": identify_model(each)}
            for label, each in zip(labels, models, strict=True)
        ],
        "settings": {
            **options,
            **control,
            "samples": samples,
            "seed": seed,
            **dataclasses.asdict(form),
            **dataclasses.asdict(reading),
        },
    }
    if hints is not None:
        settings["settings"]["hints"] = hints.describe()
    overlapped = Overlapped(min(threads or THREADS_PER_CORE * available_cores(), len(plan)))

    def serve(each):
        return overlapped.serve(TileModel(each) if native else each)

    colourings = [
        Colouring(labels[number], controlled(each, **control, sample=one, serve=serve), number, one)
        for number, each in enumerate(models)
        for one in seeds
    ]
    # The same model by another name makes the same outputs.
    made_by = {**settings, "models": [each["sha256"] for each in settings["models"]]}
    record = Record(output.parent if one_file else output, made_by, kept=not one_file)
    with record, warnings.catch_warnings():
        # Reading silences these for itself, but threads that do so at the same time lift each other's silence.
        warnings.filterwarnings("ignore", module=r"(PIL|pydicom|nibabel)\.")
        results = {
            source: Result(source, targets[0], skipped=True, outputs=tuple(targets))
            for source, targets in plan.items()
            if resume and record.is_done(source, targets)
        }
        remaining = {source: targets for source, targets in plan.items() if source not in results}
        if not overwrite:
            files = _files_of(remaining, sidecar)
            refuse_existing(path for path in files if not record.is_unfinished(path))
        if progress is not None and results:
            progress(len(results), len(plan))
        options["hints"] = hints
        step = progress if len(plan) == 1 else None
        colorizer = FileColorizer(colourings, form, record, overlapped.check, options, settings, reading, step)
        for result in overlapped.run(functools.partial(_result_of, colorizer), remaining.items()):
            results[result.source] = result
            if progress is not None:
                progress(len(results), len(plan))
    return [results[source] for source in plan]


def _result_of(colorizer, task):
    source, targets = task
    try:
        note = colorizer.colorize(source, targets)
    except CheckpointError:
        raise  # of the model, so that no other picture would fare better
    except (DensecolorError, OSError, MemoryError, cv2.error) as error:
        return Result(source, targets[0], error=reason_of(source, error), outputs=tuple(targets))
    return Result(source, targets[0], note=note, outputs=tuple(targets))


def _files_of(plan, sidecar):
    """All files that the outputs of a plan are, in order."""
    for targets in plan.values():
        yield from targets
        if sidecar:
            yield from map(sidecar_path, targets)


def _runtime_of_keras(runtime):
    """Keras alone lets a network be taken apart for tiles, takes noise, and gives distributions of colours."""
    if runtime not in ("auto", "keras"):
        raise DensecolorError(
            f"`native`, `samples` and `temperature` need the runtime keras. Received: runtime={runtime!r}."
        )
    return "keras"


def _require_positive(**values):
    for name, value in values.items():
        if value is not None and value < 1:
            raise DensecolorError(f"`{name}` must be at least 1. Received: {value}.")
