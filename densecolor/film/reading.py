"""Read films: upright frames in sRGB with their times, one after the other."""

import contextlib
import dataclasses
import fractions
import os
import re
import stat

import numpy as np

from densecolor.errors import FilmError
from densecolor.errors import require_package
from densecolor.image_io import DEFAULT_MAX_PIXELS

UNKNOWN_RATE = fractions.Fraction(25)
TOLERATED = 0.5  # seconds that pictures may end before a film's end


@dataclasses.dataclass(frozen=True, eq=False)
class Frame:
    """One frame.

    Attributes:
        number: int, from 0.
        time: int, when it is shown, in the film's time base.
        duration: int, how long, likewise; 0 where the film does not say.
        rgb: uint8 (H, W, 3), upright.
        aspect: `fractions.Fraction`, a pixel's width by its height, upright.
    """

    number: int
    time: int
    duration: int
    rgb: np.ndarray
    aspect: fractions.Fraction


@contextlib.contextmanager
def open_film(path):
    """A film to be read.

    Yields:
        `Film`.

    Raises:
        FilmError: it is no film, is damaged at its beginning, or has no pictures.
        DensecolorError: PyAV is not installed.
        OSError: it cannot be read.
    """
    av = require_package("av", "film")
    av.logging.set_level(None)  # FFmpeg's own notes; what matters raises
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise FilmError(f"{path}: not a regular file. Name a film.")
    with open(path, "rb"):  # whatever is in the way of that is not the film's fault
        pass
    try:
        container = av.open(os.fspath(path))
    except (av.error.FFmpegError, ValueError) as error:
        raise FilmError(
            f"{path}: not a film of a known format, or damaged at its beginning or end ({_reason(error)})."
        ) from None
    with container:
        yield Film(path, container)


class Film:
    """A film that is open.

    Attributes:
        path: as it was given.
        container: PyAV's.
        stream: the pictures' stream.
        time_base: `fractions.Fraction`, seconds in a unit of time.
        rate: `fractions.Fraction`, frames a second on average.
        sound: list of the streams of sound.
        expected: int, how many frames there should be, as far as the film says; None where it does not.
    """

    def __init__(self, path, container):
        self.path = path
        self.container = container
        pictures = [stream for stream in container.streams.video if not _is_cover(stream)]
        if not pictures:
            raise FilmError(f"{path}: this film has no pictures.")
        self.stream = pictures[0]
        self.stream.thread_type = "AUTO"
        self.sound = list(container.streams.audio)
        self.rate = self.stream.average_rate or self.stream.guessed_rate or UNKNOWN_RATE
        self.time_base = self.stream.time_base or 1 / self.rate
        self.expected = self.stream.frames or self._frames_by_duration()
        width, height = self.stream.codec_context.width, self.stream.codec_context.height
        if not 0 < width * height <= DEFAULT_MAX_PIXELS:
            raise FilmError(f"{path}: frames of {width} x {height} pixels cannot be colorized.")

    def _frames_by_duration(self):
        if self.stream.duration:
            return round(self.stream.duration * self.time_base * self.rate)
        return round(self.container.duration / 1_000_000 * self.rate) if self.container.duration else None

    def frames(self, start=0, damaged=None):
        """Yield the frames in the order in which they are shown.

        Args:
            start: int, of the first one that is wanted; those before are decoded, no more.
            damaged: function of a str, told what cannot be decoded, which then is left out. None raises there.

        Yields:
            `Frame`.

        Raises:
            FilmError: a frame is damaged, or the film ends before its end; it names the frame.
        """
        number, last, end = 0, None, 0
        unit = max(1, round(1 / (self.rate * self.time_base)))
        size = None
        for decoded in self._decoded():
            if isinstance(decoded, str):
                self._tell(number, last, decoded, damaged)
                continue
            time = decoded.pts if decoded.pts is not None else decoded.dts
            if time is None or (last is not None and time <= last):
                time = 0 if last is None else last + (unit if time is None else 1)
            last, end = time, time + (decoded.duration or unit)
            if number >= start:
                frame = self._frame(number, time, decoded, damaged)
                if frame is None:
                    continue
                size = size or frame.rgb.shape
                if frame.rgb.shape != size:
                    raise FilmError(
                        f"{self.path}: frame {number} is {frame.rgb.shape[1]} x {frame.rgb.shape[0]} pixels, those "
                        f"before it {size[1]} x {size[0]}. A film must keep its size."
                    )
                yield frame
            number += 1
        if number == 0:
            raise FilmError(f"{self.path}: this film has no frame that can be decoded.")
        if self._is_early(number, float(end * self.time_base)):
            self._tell(number, last, "it should go on", damaged)

    def _frame(self, number, time, decoded, damaged):
        """A frame of PyAV as `Frame`, or None where its pixels cannot be converted and that is only told."""
        av = require_package("av", "film")
        turns = round(decoded.rotation / 90) % 4
        try:
            rgb = decoded.to_ndarray(format="rgb24")
        except (av.error.FFmpegError, ValueError) as error:
            return self._tell(number, time, _reason(error), damaged)
        aspect = self.stream.sample_aspect_ratio or fractions.Fraction(1)
        return Frame(
            number,
            time,
            decoded.duration or 0,
            np.ascontiguousarray(np.rot90(rgb, turns)),
            1 / aspect if turns % 2 else aspect,
        )

    def _decoded(self):
        """Frames of PyAV, and a str in the place of what cannot be decoded."""
        av = require_package("av", "film")
        packets = self.container.demux(self.stream)
        while True:
            try:
                packet = next(packets, None)
                if packet is None:
                    return
                for frame in packet.decode():
                    yield "its data are damaged" if frame.is_corrupt else frame
            except (av.error.FFmpegError, ValueError) as error:
                yield _reason(error)  # reading ends after an error of its own, decoding goes on

    def _is_early(self, number, end):
        """Whether a film of so many frames that ends at `end`, in seconds, lacks its end, as far as it says."""
        tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", self.stream.metadata.get("DURATION", ""))  # Matroska's
        if tag:
            hours, minutes, seconds = map(float, tag.groups())
            return end < 3600 * hours + 60 * minutes + seconds - TOLERATED
        # MP4 counts frames, but those of films that were trimmed are not all shown.
        start = float((self.stream.start_time or 0) * self.time_base)
        return number < self.stream.frames and end - start < (self.container.duration or 0) / 1_000_000 - TOLERATED

    def _tell(self, number, last, reason, damaged):
        shown = f", {float(last * self.time_base):.2f} s after the beginning" if last is not None else ""
        text = f"{self.path}: damaged or cut short at frame {number}{shown} ({reason})"
        if damaged is None:
            raise FilmError(f"{text}. Replace the file; or say --skip-damaged to keep what is whole, with --resume.")
        damaged(text)


def _is_cover(stream):
    """Whether a stream is one picture that belongs to sound."""
    return bool(stream.disposition & stream.disposition.__class__.attached_pic)


def _reason(error):
    return getattr(error, "strerror", None) or str(error)
