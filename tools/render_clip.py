"""Render a film from freely licensed photographs: a camera that pans, zooms and shakes a little, a cut, and sound.

python tools/render_clip.py OUT [--frames 240] [--width 480] [--height 270]

OUT gets `true.mp4` in colour and `gray.mp4`, the same lightness without colours and with two streams of sound. Both
have grain and an exposure that is not quite steady, as old films have. Half of the frames show one photograph, half
another; both come with scikit-image's wheel.
"""

import argparse
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
from sample_photographs import find

from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab

SCENES = ("coffee.png", "chelsea.png")
RATE = 25
SAMPLES = 24000
UNIT = Fraction(1, 12800)
GRAIN = 1.0  # of L
EXPOSURE = 0.03  # of L's value, from frame to frame


def views(photo, count, width, height):
    """Yield frames of a camera that moves over a photograph, uint8 (height, width, 3)."""
    rows, columns = photo.shape[:2]
    fitting = min(rows / height, columns / width)
    for step in np.linspace(0, 1, count):
        zoom = fitting * (0.85 - 0.25 * step)
        shake = 1.5 * np.sin([37 * step, 53 * step + 1])
        free = np.array([columns, rows]) - zoom * np.array([width, height])
        left, top = free * (0.1 + 0.8 * step, 0.5 + 0.4 * np.sin(3 * step)) + shake
        angle = np.deg2rad(2 * np.sin(5 * step))
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        matrix = np.column_stack([turn, [left, top]])
        yield cv2.warpAffine(
            photo, matrix, (width, height), flags=cv2.INTER_AREA | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
        )


class Film:
    """A film in the making."""

    def __init__(self, path, width, height, sound=0):
        self._container = av.open(str(path), "w")
        self._pictures = self._container.add_stream("libx264", rate=RATE, options={"crf": "10"})
        self._pictures.width, self._pictures.height, self._pictures.pix_fmt = width, height, "yuv420p"
        self._pictures.time_base = self._pictures.codec_context.time_base = UNIT
        context = self._pictures.codec_context
        context.color_primaries = context.color_trc = context.colorspace = context.color_range = 1
        self._sound = [self._container.add_stream("aac", rate=SAMPLES) for _ in range(sound)]
        self._count = 0

    def add_sound(self, seconds):
        """Add a tone to each stream of sound."""
        for number, stream in enumerate(self._sound):
            wave = 0.2 * np.sin(np.arange(round(seconds * SAMPLES)) * (0.06 + 0.03 * number))
            frame = av.AudioFrame.from_ndarray(np.float32([wave, wave]), format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = SAMPLES, 0, Fraction(1, SAMPLES)
            self._container.mux([*stream.encode(frame), *stream.encode(None)])

    def add(self, rgb):
        """Add a frame."""
        frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
            format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
        )
        frame.pts, frame.time_base = int(self._count / RATE / UNIT), UNIT
        self._container.mux(self._pictures.encode(frame))
        self._count += 1

    def close(self):
        """End the film."""
        self._container.mux(self._pictures.encode(None))
        self._container.close()


def main(arguments):
    """Render both films."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    size = arguments.width, arguments.height
    true, gray = Film(arguments.out / "true.mp4", *size), Film(arguments.out / "gray.mp4", *size, sound=2)
    gray.add_sound(arguments.frames / RATE)
    random = np.random.default_rng(0)
    for scene in SCENES:
        photo = cv2.cvtColor(cv2.imread(str(find(scene))), cv2.COLOR_BGR2RGB)
        for view in views(photo, arguments.frames // len(SCENES), *size):
            lab = srgb_to_lab(view)
            exposed = lab[..., 0] * (1 + random.normal(0, EXPOSURE))
            lab[..., 0] = np.clip(exposed + random.normal(0, GRAIN, exposed.shape), 0, 100)
            true.add(lab_to_srgb(lab))
            gray.add(lab_to_srgb(lab * np.float32([1, 0, 0])))
    true.close()
    gray.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--frames", type=int, default=240)
    parser.add_argument("--width", type=int, default=480)
    parser.add_argument("--height", type=int, default=270)
    main(parser.parse_args())
