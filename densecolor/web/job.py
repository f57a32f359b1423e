"""What the page does with a batch of uploaded files, told by the library's inference."""

import dataclasses
import pathlib
import shutil
import tempfile
import zipfile

from densecolor.errors import DensecolorError
from densecolor.errors import WebError
from densecolor.image_io import read_image
from densecolor.image_io import shrink
from densecolor.inference import colorize_files
from densecolor.inference import colorize_with_account
from densecolor.inference import controlled
from densecolor.inference.masks import has_mask
from densecolor.inference.masks import predict_mask
from densecolor.inference.volumes import Reading
from densecolor.web.previews import LONGEST_SIDE
from densecolor.web.previews import write_gray_preview
from densecolor.web.previews import write_mask_preview
from densecolor.web.previews import write_preview
from densecolor.web.uploads import read_checked
from densecolor.web.uploads import take_uploads

ZIP_NAME = "colorized.zip"


@dataclasses.dataclass(frozen=True)
class Shown:
    """One colouring as the page shows it.

    Attributes:
        label: name of its file.
        before: path of a picture without colours.
        after: path of the same picture with them.
        mask: path of it with the model's mask over it, or None.
    """

    label: str
    before: str
    after: str
    mask: str | None = None


@dataclasses.dataclass(frozen=True)
class Done:
    """What became of a batch.

    Attributes:
        shown: list of `Shown`, not empty.
        download: path of the one output, at full size and depth, or of a zip of all.
        messages: list of str: files that failed and why, and what else is worth knowing.
    """

    shown: list
    download: str
    messages: list


def colorize_uploads(
    paths,
    folder,
    limits,
    model,
    *,
    saturation=1.0,
    temperature=None,
    samples=None,
    seed=0,
    hints=(),
    window=None,
    plane="axial",
    identity=True,
    progress=None,
):
    """Colorize uploaded files.

    Args:
        paths: list of str, where the server has stored them.
        folder: `pathlib.Path` of all jobs; this one makes a folder in it.
        limits: `Limits`.
        model: Keras model.
        saturation, temperature, samples, seed, hints, window, plane, identity, progress: see
            `densecolor.colorize_files`.

    Returns:
        `Done`.

    Raises:
        WebError: no file, too many, or none of them could be colorized.
        DensecolorError: an option is out of range or does not fit the model; see `colorize_files`.
    """
    options = {"saturation": saturation, "temperature": temperature, "samples": samples, "seed": seed}
    options |= {"hints": hints or None, "window": window, "plane": plane, "identity": identity}
    job = pathlib.Path(tempfile.mkdtemp(dir=folder))
    try:
        return _run(job, paths, limits, model, progress, options)
    except OSError as error:
        raise WebError(_without(job, f"{error.strerror or 'the file cannot be read'}. Try again.")) from error
    except DensecolorError as error:
        raise WebError(_without(job, str(error))) from error
    finally:
        shutil.rmtree(job / "in", ignore_errors=True)


def _run(job, paths, limits, model, progress, options):
    for name in ("in", "out", "shown"):
        (job / name).mkdir()
    reading = Reading(options["window"], options["plane"], options["identity"])
    pictures, messages = {}, []
    for source in take_uploads(paths, job / "in", limits):
        try:
            picture, is_volume = read_checked(source, limits, reading)
        except DensecolorError as error:
            messages.append(_without(job, str(error)))
            continue
        # Of pictures what was written is shown, so that they need not stay in memory; of volumes a slice.
        before = write_gray_preview(job / "shown" / f"{len(pictures)}-before.png", picture.pixels)
        mask = _write_mask(job / "shown" / f"{len(pictures)}-mask.png", picture, model)
        pictures[source] = before, mask, picture if is_volume else None
    if not pictures:
        raise WebError(" ".join(messages))
    results = colorize_files(
        list(pictures), job / "out", model, runtime="keras", progress=progress, note=messages.append, **options
    )
    shown, outputs = [], []
    for number, result in enumerate(results):
        if result.error:
            messages.append(_without(job, result.error))
            continue
        if result.note:
            messages.append(f"{result.source.name}: {result.note}.")
        before, mask, slice_shown = pictures[result.source]
        for sample, output in enumerate(result.outputs):
            after = job / "shown" / f"{number}-{sample}-after.png"
            if slice_shown is None:
                write_preview(after, read_image(output).pixels)
            else:
                write_preview(after, _colored_slice(slice_shown, model, options, sample))
            shown.append(Shown(output.name, before, str(after), mask))
            outputs.append(output)
    if not shown:
        raise WebError(" ".join(messages))
    return Done(shown, str(_packed(outputs, job)), messages)


def _write_mask(path, picture, model):
    if not has_mask(model):
        return None
    pixels = shrink(picture.pixels, LONGEST_SIDE)
    return write_mask_preview(path, pixels, predict_mask(pixels, model))


def _colored_slice(picture, model, options, sample):
    samples = options["samples"]
    model = controlled(
        model,
        saturation=options["saturation"],
        temperature=options["temperature"],
        sample=options["seed"] + sample if samples else None,
    )
    return colorize_with_account(picture, model, hints=options["hints"]).rgb


def _packed(outputs, job):
    """The one output, or a zip of all."""
    if len(outputs) == 1:
        return outputs[0]
    path = job / ZIP_NAME
    with zipfile.ZipFile(path, "x", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for output in outputs:
            archive.write(output, output.name)
    return path


def _without(job, text):
    """A message with the names that people know, and none of the server's folders."""
    for name in ("in", "out", "shown"):
        text = text.replace(f"{job / name}/", "")
    return text.replace(str(job), "the page")
