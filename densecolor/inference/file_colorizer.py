"""One picture, from file to file."""

import contextlib
import dataclasses
import errno
import os
import stat

import numpy as np

import densecolor
from densecolor.atomic import write_atomically
from densecolor.color import GamutAccount
from densecolor.errors import ImageError
from densecolor.image_io import Picture
from densecolor.image_io import remove_unfinished
from densecolor.image_io import write_image
from densecolor.image_io.medical import PREDICTED
from densecolor.inference.in_color import is_in_color
from densecolor.inference.panels import fit_cell
from densecolor.inference.panels import gray_of
from densecolor.inference.panels import grid
from densecolor.inference.panels import side_by_side
from densecolor.inference.picture import colorize_with_account
from densecolor.inference.pixel_budget import PixelBudget
from densecolor.inference.pixel_budget import pixels_of
from densecolor.inference.record import key_of
from densecolor.inference.record import state_of
from densecolor.inference.sidecar import describe_colouring
from densecolor.inference.sidecar import sidecar_path
from densecolor.inference.sidecar import write_sidecar
from densecolor.inference.volumes import is_nifti_name
from densecolor.inference.volumes import open_volume_file
from densecolor.inference.volumes import read_first_picture
from densecolor.inference.volumes import values_of

MAX_FILE_BYTES = 1 << 31  # more than the largest picture, less than what would fill the memory
PIXELS_AT_A_TIME = 1 << 26  # in all threads together; a larger picture is colorized alone
REPLACED = "in colour already; its own colours were ignored (--skip-color keeps them)"
KEPT = "in colour already, and kept as it was"
LOOKED_AT = 5  # slices of a volume that tell whether it is in colour


@dataclasses.dataclass(frozen=True)
class Colouring:
    """One way to colour a picture.

    Attributes:
        label: the model's short name.
        model: what predicts.
        number: the model's place among the models.
        seed: of the sample, or None.
    """

    label: str
    model: object
    number: int = 0
    seed: int | None = None


@dataclasses.dataclass(frozen=True)
class Form:
    """What is written of a picture.

    Attributes:
        side_by_side: bool, gray and colour in one picture.
        compare: bool, a grid of all models in one picture.
        sidecar: bool, a JSON file too.
        skip_color: bool, pictures in colour are kept.
    """

    side_by_side: bool = False
    compare: bool = False
    sidecar: bool = False
    skip_color: bool = False


class VolumeAccount:
    """What a sidecar says of the colours of a volume, as `Colorized` for a picture.

    Attributes:
        rgb: of the last slice.
        gamut: `GamutAccount` of all slices.
    """

    def __init__(self):
        self.rgb = None
        self.gamut = GamutAccount()

    def add(self, colored):
        """Count a slice in."""
        self.rgb = colored.rgb
        self.gamut += colored.gamut


class FileColorizer:
    """Colorizes files; one object for all threads.

    Args:
        colourings: list of `Colouring`.
        form: `Form`.
        record: `densecolor.inference.record.Record`.
        check: function (), called between steps; it raises where the work as a whole has ended.
        options: dict, options of `colorize_with_account`.
        settings: dict, what a sidecar says of all this; its "models" describe the models.
        reading: `densecolor.inference.volumes.Reading`.
        step: function (done, total), called after each slice of a volume, or None.
    """

    def __init__(self, colourings, form, record, check, options, settings, reading, step):
        self._colourings = colourings
        self._form = form
        self._record = record
        self._check = check
        self._options = options
        self._settings = settings
        self._reading = reading
        self._step = step
        self._budget = PixelBudget(PIXELS_AT_A_TIME)

    def colorize(self, source, targets):
        """Colorize one file.

        Args:
            source: its path.
            targets: list of the paths of its outputs: one for each colouring, or one for all.

        Returns:
            str, what is worth knowing about it, or None.

        Raises:
            ImageError: the file is no picture, or cannot be written as asked.
            OSError: it cannot be read, or its output not written.
            CheckpointError: see `colorize`.
        """
        _check_file(source)
        before = state_of(source)
        pictures = len(self._colourings) if self._form.side_by_side else 1
        pixels = values_of(source) if is_nifti_name(targets[0]) else pixels_of(source)
        with self._budget.taken(pixels * pictures):
            self._check()
            volume = open_volume_file(source, targets[0], self._reading)
            if volume is None:
                written, notes = self._colorize_picture(source, targets)
            else:
                with contextlib.closing(volume):
                    written, notes = self._colorize_volume(source, volume, targets)
        self._record.end(source, written, before)
        return "; ".join(filter(None, notes)) or None

    def _colorize_picture(self, source, targets):
        picture, note = read_first_picture(source, self._reading)
        in_color = is_in_color(picture.pixels)
        if in_color and self._form.skip_color:
            self._begin(targets)
            return _keep(source, picture, targets[0]), [note, KEPT]
        if self._form.compare:
            written = self._write_grid(source, picture, targets[0])
        elif self._form.side_by_side:
            written = self._write_side_by_side(source, picture, targets[0])
        else:
            written = self._write_each(source, picture, targets)
        return written, [note, REPLACED if in_color else None]

    def _colorize_volume(self, source, volume, targets):
        if self._form.compare or self._form.side_by_side:
            raise ImageError(f"{source}: several colourings side by side are no volume. Write them as pictures.")
        if self._options.get("hints") is not None and volume.count > 1:
            raise ImageError(f"{source}: hints belong to one picture, and it has {volume.count} {volume.name}.")
        looked_at = np.linspace(0, volume.count - 1, min(volume.count, LOOKED_AT)).astype(int)
        in_color = any(is_in_color(volume.picture(int(index)).pixels) for index in looked_at)
        self._begin(targets)
        if in_color and self._form.skip_color:
            volume.keep(targets[0])
            return [targets[0]], [KEPT]
        written, notes = [], [REPLACED if in_color else None]
        for colouring, target in zip(self._colourings, targets, strict=True):
            account = VolumeAccount()
            series = key_of([self._settings, colouring.number, colouring.seed])
            frames = self._colored_slices(volume, colouring, account)
            note = volume.write(target, frames, self._statement(colouring), series)
            written += [target, *self._described(source, account.rgb, target, [(colouring, account)])]
        return written, [*notes, note]

    def _colored_slices(self, volume, colouring, account):
        for index in range(volume.count):
            colored = self._colored(colouring, volume.picture(index), in_place=True)
            account.add(colored)
            yield colored.rgb, colored.alpha
            if self._step is not None:
                self._step(index + 1, volume.count)

    def _statement(self, colouring):
        model = self._settings["models"][colouring.number]
        return (
            f"{PREDICTED}. They are what densecolor {densecolor.__version__} makes of gray values with the model "
            f"{model['class']} (SHA-256 {model['sha256']})."
        )

    def _begin(self, targets):
        """The last step before the first output is written."""
        self._check()
        files = [*targets, *map(sidecar_path, targets)] if self._form.sidecar else targets
        for path in files:
            if self._record.is_unfinished(path):
                remove_unfinished(path)
        self._record.begin(files)

    def _write_each(self, source, picture, targets):
        written = []
        for colouring, target in zip(self._colourings, targets, strict=True):
            colored = self._colored(colouring, picture, in_place=len(targets) == 1)
            if not written:
                self._begin(targets)
            write_image(target, colored.rgb, colored.alpha, overwrite=True)
            written += [target, *self._described(source, picture.pixels, target, [(colouring, colored)])]
        return written

    def _write_side_by_side(self, source, picture, target):
        made = [(colouring, self._colored(colouring, picture)) for colouring in self._colourings]
        rgb, alpha = side_by_side(picture.pixels, [colored.rgb for _, colored in made], picture.alpha)
        self._begin([target])
        write_image(target, rgb, alpha, overwrite=True)
        return [target, *self._described(source, picture.pixels, target, made)]

    def _write_grid(self, source, picture, target):
        picture = Picture(fit_cell(picture.pixels))
        made = [(colouring, self._colored(colouring, picture)) for colouring in self._colourings]
        cells = [gray_of(picture.pixels), *(colored.rgb for _, colored in made)]
        labels = ["input", *(colouring.label for colouring in self._colourings)]
        self._begin([target])
        write_image(target, grid(cells, labels), overwrite=True)
        return [target, *self._described(source, picture.pixels, target, made)]

    def _colored(self, colouring, picture, in_place=False):
        self._check()
        return colorize_with_account(picture, colouring.model, in_place=in_place, **self._options)

    def _described(self, source, pixels, target, made):
        if not self._form.sidecar:
            return []
        about = [describe_colouring(*pair, self._options["working_size"]) for pair in made]
        return [write_sidecar(target, source, pixels, self._settings, about)]


def _keep(source, picture, target):
    """Write a picture as it was: the file itself where its suffix stays."""
    if source.suffix.lower() == target.suffix.lower():
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(target, source.read_bytes())
    else:
        write_image(target, picture.pixels, picture.alpha, overwrite=True)
    return [target]


def reason_of(source, error):
    """Why a picture failed, in a line that names it."""
    if isinstance(error, MemoryError):
        return f"{source}: there is not enough memory for it."
    reason = " ".join(str(error).split())
    return reason if str(source) in reason else f"{source}: {reason}"


def _check_file(path):
    """Refuse what would never end or fill the memory.

    Raises:
        OSError: it does.
    """
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file", str(path))
    if status.st_size > MAX_FILE_BYTES:
        raise OSError(errno.EFBIG, f"larger than {MAX_FILE_BYTES >> 30} GiB", str(path))
