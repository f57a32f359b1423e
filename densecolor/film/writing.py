"""Write films: frames into parts, and parts and sound into one film."""

import contextlib
import heapq
import io

from densecolor.atomic import partial_path
from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.errors import FilmError
from densecolor.errors import require_package
from densecolor.film.names import WRITABLE_FILM_SUFFIXES

# No frames that depend on later ones: then packets have the times of their frames, and parts can be joined.
# Colours get finer steps than usual, since coarse ones flicker: an eighth less flicker for 2.6% more bytes.
ENCODER = {"crf": "18", "preset": "medium", "bf": "0", "x264-params": "chroma-qp-offset=-6"}
BT709 = 1  # FFmpeg's number for these primaries, curve and matrix
LIMITED = 1  # and for values from 16 to 235


class PartWriter:
    """Encodes frames of one part.

    Args:
        path: of the file; times in it begin with 0.
        film: `densecolor.film.reading.Film`, whose times and rate are kept.
        first: `densecolor.film.reading.Frame`, which all others are like in size and aspect.
    """

    def __init__(self, path, film, first):
        height, width = first.rgb.shape[:2]
        self._av = require_package("av", "film")
        self.path = path
        self._source = film.path
        self.frames = 0
        self.start = None
        self._time_base = film.time_base
        self._container = self._av.open(str(path), "w", format="mp4")
        self._stream = self._container.add_stream("libx264", rate=film.rate, options=dict(ENCODER))
        self._stream.width, self._stream.height = width, height
        # Halved colour needs even sides.
        self._stream.pix_fmt = "yuv420p" if height % 2 == width % 2 == 0 else "yuv444p"
        self._stream.time_base = self._stream.codec_context.time_base = film.time_base
        self._stream.codec_context.sample_aspect_ratio = first.aspect
        context = self._stream.codec_context
        context.color_primaries = context.color_trc = context.colorspace = BT709
        context.color_range = LIMITED

    def add(self, frame):
        """Encode a frame.

        Args:
            frame: `densecolor.film.reading.Frame`.

        Raises:
            FilmError: it cannot be encoded.
            OSError: it cannot be written.
        """
        if self.start is None:
            self.start = frame.time
        encoded = self._av.VideoFrame.from_ndarray(frame.rgb, format="rgb24").reformat(
            format=self._stream.pix_fmt, dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        encoded.pts, encoded.time_base = frame.time - self.start, self._time_base
        encoded.duration = frame.duration
        with _errors_named(self._av, f"{self._source}: frame {frame.number} cannot be encoded"):
            self._container.mux(self._stream.encode(encoded))
        self.frames += 1

    def close(self):
        """Write what is still to be written."""
        with _errors_named(self._av, f"{self._source}: frames cannot be encoded"):
            self._container.mux(self._stream.encode(None))
            self._container.close()

    def abandon(self):
        """Leave off, and remove the file."""
        with contextlib.suppress(Exception):  # whatever closing an unfinished file raises
            self._container.close()
        self.path.unlink(missing_ok=True)


@contextlib.contextmanager
def _errors_named(av, what):
    """Turn what FFmpeg refuses into `FilmError`; a full disk stays what it is."""
    try:
        yield
    except av.error.FFmpegError as error:
        if isinstance(error, OSError):
            raise
        raise FilmError(f"{what} ({error.strerror}).") from error


def require_container(film, output):
    """Refuse an output that could not hold the film's sound, before any work.

    Args:
        film: `densecolor.film.reading.Film`.
        output: `pathlib.Path`.

    Raises:
        FilmError: it cannot.
    """
    av = require_package("av", "film")
    suffix = output.suffix.lower()
    if suffix not in WRITABLE_FILM_SUFFIXES:
        raise FilmError(f"{output} cannot be written. Choose a suffix from {', '.join(WRITABLE_FILM_SUFFIXES)}.")
    if not film.sound:
        return
    try:
        with av.open(io.BytesIO(), "w", format=WRITABLE_FILM_SUFFIXES[suffix]) as container:
            for stream in film.sound:
                container.add_stream_from_template(stream)
            container.start_encoding()
    except (av.error.FFmpegError, ValueError) as error:
        names = ", ".join(stream.codec_context.name for stream in film.sound)
        raise FilmError(f"{output} cannot hold this film's sound ({names}). Choose the suffix .mkv.") from error


def join(parts, film, output, damaged=None):
    """Join parts and a film's sound into one film; nothing is encoded again.

    Args:
        parts: list of (path, start): the parts in order, and when each begins in the film's time base.
        film: `densecolor.film.reading.Film`, opened and not read from.
        output: `pathlib.Path`; it is replaced when the film is whole.
        damaged: function of a str, told where the sound cannot be read on; None raises there.

    Raises:
        FilmError: the sound is damaged, or cannot be written.
    """
    av = require_package("av", "film")
    partial = partial_path(output)
    try:
        with (
            _errors_named(av, f"{output}: the film cannot be joined with its sound"),
            av.open(str(parts[0][0])) as first,
            av.open(str(partial), "w", format=WRITABLE_FILM_SUFFIXES[output.suffix.lower()]) as joined,
        ):
            joined.metadata.update(film.container.metadata)
            pictures = joined.add_stream_from_template(first.streams.video[0])
            pictures.time_base = film.time_base
            sound = {stream.index: joined.add_stream_from_template(stream) for stream in film.sound}
            for stream in film.sound:
                sound[stream.index].time_base = stream.time_base
                sound[stream.index].metadata.update(stream.metadata)
            packets = heapq.merge(
                _packets_of_parts(av, parts, film.time_base, pictures),
                _packets_of_sound(av, film, sound, damaged),
                key=_time_of,
            )
            for packet in packets:
                joined.mux(packet)
        sync(partial)
        rename_durably(partial, output)
    finally:
        partial.unlink(missing_ok=True)


def _packets_of_parts(av, parts, time_base, stream):
    for path, start in parts:
        with av.open(str(path)) as part:
            unit = part.streams.video[0].time_base
            for packet in part.demux(part.streams.video[0]):
                if packet.dts is None:
                    continue
                packet.pts, packet.dts = (start + round(time * unit / time_base) for time in (packet.pts, packet.dts))
                packet.duration = round(packet.duration * unit / time_base)
                packet.time_base = time_base
                packet.stream = stream
                yield packet


def _packets_of_sound(av, film, sound, damaged):
    if not sound:
        return
    try:
        for packet in film.container.demux(film.sound):
            if packet.dts is None and packet.pts is None:
                continue
            packet.stream = sound[packet.stream.index]
            yield packet
    except av.error.FFmpegError as error:
        text = f"{film.path}: its sound is damaged or cut short ({error.strerror})"
        if damaged is None:
            raise FilmError(
                f"{text}. Replace the file; or say --skip-damaged to keep what is whole, with --resume."
            ) from error
        damaged(text)


def _time_of(packet):
    return float((packet.dts if packet.dts is not None else packet.pts) * packet.time_base)
