"""Small films, made with PyAV alone."""

from fractions import Fraction

import cv2
import numpy as np
import pytest

av = pytest.importorskip("av")

RATE = 25


def write_film(
    path, frames, times=None, sound=0, time_base=Fraction(1, 12800), aspect=Fraction(1), options=(), codec="libx264"
):
    """Write a film.

    Args:
        path: its path.
        frames: uint8 (n, H, W) gray, or (n, H, W, 3).
        times: int (n,), when frames are shown, in `time_base`; None for 25 a second.
        sound: int, how many streams of it.
        time_base: seconds in a unit of time.
        aspect: of a pixel.
        options: of the container.
        codec: of the pictures.
    """
    times = np.arange(len(frames)) * int(1 / time_base) // RATE if times is None else times
    with av.open(str(path), "w", options=dict(options)) as container:
        height, width = frames.shape[1:3]
        pictures = container.add_stream(codec, rate=RATE, options={"crf": "4"})
        pictures.width, pictures.height = width, height
        pictures.pix_fmt = "yuv420p" if height % 2 == width % 2 == 0 else "yuv444p"
        pictures.time_base = pictures.codec_context.time_base = time_base
        pictures.codec_context.sample_aspect_ratio = aspect
        heard = [container.add_stream("aac", rate=24000, layout="mono") for _ in range(sound)]
        for number, stream in enumerate(heard):
            seconds = float((times[-1] + times[-1] // max(1, len(times) - 1)) * time_base)
            wave = np.sin(np.arange(int(seconds * 24000)) * (0.05 + 0.02 * number)).astype(np.float32) / 4
            frame = av.AudioFrame.from_ndarray(wave[None], format="fltp", layout="mono")
            frame.sample_rate, frame.pts, frame.time_base = 24000, 0, Fraction(1, 24000)
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        for picture, time in zip(frames, times, strict=True):
            rgb = picture if picture.ndim == 3 else np.dstack([picture] * 3)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            frame.pts, frame.time_base = int(time), time_base
            container.mux(pictures.encode(frame))
        container.mux(pictures.encode(None))


def packets_of(path, kind):
    """(bytes, seconds) of every packet, in a list for each stream of a kind."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        found = {stream.index: [] for stream in streams}
        for packet in container.demux(streams):
            if packet.size:
                found[packet.stream.index].append((bytes(packet), round(float(packet.pts * packet.time_base), 4)))
    return list(found.values())


def shown(path):
    """(seconds, rgb) of every frame."""
    with av.open(str(path)) as container:
        return [
            (float(frame.pts * frame.time_base), frame.to_ndarray(format="rgb24"))
            for frame in container.decode(video=0)
        ]


def texture(height, width, seed=0, grain=12):
    """Smooth noise, float32 (height, width) in about [40, 215]."""
    small = np.random.default_rng(seed).uniform(0, 1, (height // grain + 3, width // grain + 3)).astype(np.float32)
    return 40 + 175 * cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def panned(count, height, width, step=2, seed=0):
    """A camera that moves to the right over a texture: uint8 (count, height, width)."""
    wide = texture(height, width + step * count, seed)
    frames = [wide[:, step * i : step * i + width] for i in range(count)]
    return np.clip(np.stack(frames), 0, 255).astype(np.uint8)
