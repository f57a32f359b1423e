"""What the page does with a batch of uploaded files, told by the library's inference."""

import dataclasses
import pathlib
import shutil
import tempfile
import zipfile

from densecolor.errors import DensecolorError
from densecolor.errors import WebError
from densecolor.image_io import read_image
from densecolor.inference import colorize_files
from densecolor.web.previews import write_gray_preview
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
    """

    label: str
    before: str
    after: str


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


def colorize_uploads(paths, folder, limits, model, progress=None, **options):
    """Colorize uploaded files.

    Args:
        paths: list of str, where the server has stored them.
        folder: `pathlib.Path` of all jobs; this one makes a folder in it.
        limits: `Limits`.
        model: Keras model.
        progress: function (done, total), or None.
        options: of `densecolor.colorize_files`.

    Returns:
        `Done`.

    Raises:
        WebError: no file, too many, or none of them could be colorized.
        DensecolorError: an option is out of range or does not fit the model; see `colorize_files`.
    """
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
    befores, messages = {}, []
    for number, source in enumerate(take_uploads(paths, job / "in", limits)):
        try:
            picture = read_checked(source, limits)
        except DensecolorError as error:
            messages.append(_without(job, str(error)))
            continue
        befores[source] = write_gray_preview(job / "shown" / f"{number}-before.png", picture.pixels)
    if not befores:
        raise WebError(" ".join(messages))
    results = colorize_files(
        list(befores),
        job / "out",
        model,
        runtime="keras",
        progress=progress,
        note=messages.append,
        **options,
    )
    shown, outputs = [], []
    for number, result in enumerate(results):
        if result.error:
            messages.append(_without(job, result.error))
            continue
        if result.note:
            messages.append(f"{result.source.name}: {result.note}.")
        for sample, output in enumerate(result.outputs):
            after = write_preview(job / "shown" / f"{number}-{sample}-after.png", read_image(output).pixels)
            shown.append(Shown(output.name, befores[result.source], after))
            outputs.append(output)
    if not shown:
        raise WebError(" ".join(messages))
    return Done(shown, str(_packed(outputs, job)), messages)


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
