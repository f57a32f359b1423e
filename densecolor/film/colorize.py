"""One film, from file to file."""

import collections
import concurrent.futures
import dataclasses
import os
import pathlib

import cv2
import numpy as np

from densecolor.cores import available_cores
from densecolor.errors import DensecolorError
from densecolor.errors import FilmError
from densecolor.errors import require_choice
from densecolor.film.flicker import Flicker
from densecolor.film.grid import grid_of
from densecolor.film.parts import Parts
from densecolor.film.reading import open_film
from densecolor.film.steady import Steady
from densecolor.film.writing import PartWriter
from densecolor.film.writing import join
from densecolor.film.writing import require_container
from densecolor.inference import runtimes
from densecolor.inference.control import controlled
from densecolor.inference.identity import identify_model
from densecolor.inference.picture import apply_color
from densecolor.inference.picture import working_shape
from densecolor.inference.picture import working_size_of
from densecolor.inference.prediction import predict_outputs
from densecolor.inference.record import key_of
from densecolor.inference.record import state_of
from densecolor.inference.upsampling import UPSAMPLINGS
from densecolor.inference.upsampling import Upsampler

PART_FRAMES = 250  # what an interruption can cost


@dataclasses.dataclass(frozen=True)
class FilmResult:
    """What became of a film.

    Attributes:
        source: its path.
        output: where its colours are.
        frames: how many.
        resumed: how many of them an earlier run had coloured.
        cuts: how many cuts between scenes were found; None for colours frame by frame.
        flicker: of the colours that were written, as `densecolor.film.flicker` defines it.
        flicker_alone: of the colours that were predicted frame by frame.
        damaged: tuple of str, what was left out.
    """

    source: pathlib.Path
    output: pathlib.Path
    frames: int
    resumed: int
    cuts: int | None
    flicker: float
    flicker_alone: float
    damaged: tuple = ()


def colorize_film(
    source,
    output,
    model=None,
    *,
    working_size=None,
    upsampling="guided",
    saturation=1.0,
    temperature=None,
    steady=True,
    skip_damaged=False,
    overwrite=False,
    resume=False,
    trust=False,
    threads=None,
    runtime="auto",
    precision="auto",
    progress=None,
    note=None,
):
    """Colorize a film: lightness, size, times of the frames and sound are kept, its own colours are ignored.

    Frames are read, coloured and encoded one after the other. Colours are predicted for each frame by itself and then
    made steady along the film's motion (`densecolor.film.Steady`). Rotated films are written upright. The output is
    H.264; while it is made its parts lie in a hidden folder beside it, so that `resume` can go on.

    Args:
        source: path of a film that FFmpeg can read.
        output: path ending in .mp4, .m4v, .mov or .mkv.
        model: see `densecolor.colorize`.
        working_size: likewise.
        upsampling: likewise.
        saturation: see `densecolor.inference.controlled`.
        temperature: likewise.
        steady: bool, False colours every frame by itself.
        skip_damaged: bool, leave out frames that cannot be decoded; False raises at the first, and keeps the parts.
        overwrite: bool, replace an output, and the parts of an interrupted run.
        resume: bool, go on with an interrupted run, if there is one.
        trust: see `densecolor.load_model`.
        threads: int, frames in work at a time; None takes as many as there are processor cores.
        runtime, precision: see `densecolor.inference.runtimes.load`.
        progress: function `(frames done, frames in all or None)`, or None.
        note: function of a str, told what is worth knowing; None for `warnings.warn`.

    Returns:
        `FilmResult`.

    Raises:
        FilmError: the source is no film or is damaged, the output exists, has a suffix that cannot be written or cannot
            hold the sound, or there are parts of an interrupted run, or of another one.
        CheckpointError: see `densecolor.colorize`.
        DensecolorError: a value is out of range, or PyAV is not installed (`pip install "densecolor[film]"`).

    Example:
        >>> colorize_film("film.mp4", "film-colour.mp4").flicker
        0.31
    """
    source, output = pathlib.Path(source), pathlib.Path(output)
    require_choice("upsampling", upsampling, UPSAMPLINGS)
    for name, value in {"working_size": working_size, "threads": threads}.items():
        if value is not None and value < 1:
            raise DensecolorError(f"`{name}` must be at least 1. Received: {value}.")
    before = state_of(source)
    with open_film(source) as film:
        require_container(film, output)
        _check_output(source, output, overwrite)
        runtime = "keras" if temperature is not None and runtime == "auto" else runtime
        model = runtimes.load(model, runtime, precision=precision, trust=trust, pictures=film.expected, note=note)
        settings = {
            "source": [os.path.abspath(source), before],
            "model": identify_model(model),
            "working_size": working_size,
            "upsampling": upsampling,
            "saturation": saturation,
            "temperature": temperature,
            "steady": steady,
        }
        parts = _parts(output, key_of(settings), overwrite, resume)
        model = controlled(model, saturation=saturation, temperature=temperature)
        painter = _Painter(model, working_size or working_size_of(model), upsampling, steady, parts.state)
        damaged = []
        resumed = parts.frames
        output.parent.mkdir(parents=True, exist_ok=True)
        tell = damaged.append if skip_damaged else None
        try:
            _write_parts(film, film.frames(resumed, tell), parts, painter, threads or available_cores(), progress)
        finally:
            parts.tidy()
    with open_film(source) as film:
        join(parts.parts(), film, output, tell)
    parts.remove()
    return FilmResult(
        source,
        output,
        frames=parts.frames,
        resumed=resumed,
        cuts=painter.cuts if steady else None,
        flicker=painter.flicker.value,
        flicker_alone=painter.flicker_alone.value,
        damaged=tuple(damaged),
    )


def _check_output(source, output, overwrite):
    if os.path.realpath(source) == os.path.realpath(output):
        raise FilmError(f"{output} would replace the film itself. Choose another output.")
    if os.path.lexists(output) and not overwrite:
        raise FilmError(f"{output} would be overwritten. Choose another output, or use --overwrite.")


def _parts(output, run, overwrite, resume):
    parts = Parts(output, run)
    if resume:
        parts.go_on()
    elif parts.exist() and not overwrite:
        raise FilmError(
            f"An interrupted run has left parts of {output} in {parts.folder}. Use --resume to go on with it, or "
            "--overwrite to begin anew."
        )
    else:
        parts.begin()
    return parts


def _write_parts(film, frames, parts, painter, threads, progress):
    """Colour and encode frames, part by part."""
    writer = None
    done = parts.frames
    painted = painter.painted(frames, threads)
    try:
        for frame, state in painted:
            if writer is None:
                writer = PartWriter(parts.new_path(), film, frame)
            writer.add(frame)
            done = frame.number + 1
            if progress is not None:
                progress(done, film.expected and max(film.expected, done))
            if writer.frames == PART_FRAMES:
                _end_part(writer, parts, done, state)
                writer = None
        if writer is not None:
            _end_part(writer, parts, done, state)
            writer = None
    finally:
        painted.close()
        if writer is not None:
            writer.abandon()


def _end_part(writer, parts, done, state):
    writer.close()
    parts.add(writer.path, writer.start, done, *state)


class _Painter:
    """Colours frames in order; what it knows of those before can be kept and taken up again."""

    def __init__(self, model, working_size, upsampling, steady, state):
        self._model = model
        self._working_size = working_size
        self._upsampling = upsampling
        self._is_steady = steady
        self._steady = Steady()
        self._before = None  # ab as predicted and as written of the frame before
        if state:
            self._steady.restore(state)
            self._before = state["predicted"], state["written"]
        self.flicker = Flicker(*state.get("flicker", ()))
        self.flicker_alone = Flicker(*state.get("flicker_alone", ()))

    @property
    def cuts(self):
        return self._steady.cuts

    def painted(self, frames, threads):
        """Yield frames in colour, in order, each with what is needed to go on after it.

        Colours are found for one frame after the other, in this thread; bringing them into the frames, which takes most
        of the time of large ones, happens in others meanwhile.
        """
        waiting = collections.deque()
        with concurrent.futures.ThreadPoolExecutor(threads) as pool:
            for frame in frames:
                ab, lightness = self._colors(frame.rgb)
                waiting.append((pool.submit(self._paint, frame, ab, lightness), self._state()))
                if len(waiting) > threads:
                    future, state = waiting.popleft()
                    yield future.result(), state
            while waiting:
                future, state = waiting.popleft()
                yield future.result(), state

    def _colors(self, rgb):
        """(ab, L) of a frame on the grid."""
        lightness = np.ascontiguousarray(grid_of(rgb)[..., 0])
        height, width = working_shape(*rgb.shape[:2], self._working_size)
        small = lightness
        if (height, width) != lightness.shape:
            small = cv2.resize(lightness, (width, height), interpolation=cv2.INTER_AREA)
        upsampler = Upsampler(predict_outputs(small, self._model)["ab"], small, *lightness.shape, self._upsampling)
        predicted = upsampler.rows(0, len(lightness), lightness)
        steady, motion = self._steady.next(lightness, predicted)
        written = steady if self._is_steady else predicted
        if motion is not None:
            self.flicker_alone.add(motion, self._before[0], predicted)
            self.flicker.add(motion, self._before[1], written)
        self._before = predicted, written
        return written, lightness

    def _paint(self, frame, ab, lightness):
        upsampler = Upsampler(ab, lightness, *frame.rgb.shape[:2], self._upsampling)
        apply_color(frame.rgb, upsampler.rows, frame.rgb)
        return frame

    def _state(self):
        """(numbers, arrays) as `Parts.add` wants them."""
        numbers = {
            name: (flicker.total, flicker.pixels)
            for name, flicker in (("flicker", self.flicker), ("flicker_alone", self.flicker_alone))
        }
        predicted, written = self._before
        return numbers, {**self._steady.state(), "predicted": predicted, "written": written}
