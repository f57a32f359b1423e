"""Colorize a film steadily and frame by frame, and compare: flicker, PSNR, frames a second, sound.

python tools/benchmark_film.py MODEL CLIP [--working-size N]

CLIP is a folder of `tools/render_clip.py`, with `gray.mp4` and `true.mp4`; what is made goes there too. Flicker is
that of the colours before they were encoded, as the command tells it, and that of the films as they were written, read
again, along the motion of the true film.
"""

import argparse
import time
from pathlib import Path

import av
import numpy as np

from densecolor import load_model
from densecolor.film import colorize_film
from densecolor.film import measure_flicker
from densecolor.film.reading import open_film


def psnr(path, truth):
    """PSNR of a film over all frames and channels, in dB: of the mean squared error of all."""
    errors = []
    with open_film(path) as film, open_film(truth) as true:
        for frame, other in zip(film.frames(), true.frames(), strict=True):
            errors.append(np.mean((frame.rgb.astype(np.float32) - other.rgb) ** 2))
    return 10 * np.log10(255**2 / np.mean(errors))


def sound_of(path):
    """The bytes and times of all packets of sound."""
    with av.open(str(path)) as container:
        packets = container.demux(container.streams.audio)
        return [(p.stream.index, float(p.pts * p.time_base), bytes(p)) for p in packets if p.size]


def main(arguments):
    """Print a table."""
    model = load_model(arguments.model)
    gray, truth = arguments.clip / "gray.mp4", arguments.clip / "true.mp4"
    print("| film | flicker | as written | PSNR, dB | frames/s | cuts | sound |\n|---|---|---|---|---|---|---|")
    print(f"| gray | | {measure_flicker(gray, truth):.3f} | {psnr(gray, truth):.2f} | | | |", flush=True)
    for steady in (False, True):
        name = "steady" if steady else "frame by frame"
        output = arguments.clip / f"{name.replace(' ', '-')}.mp4"
        start = time.perf_counter()
        result = colorize_film(
            gray, output, model, steady=steady, overwrite=True, working_size=arguments.working_size, runtime="keras"
        )
        rate = result.frames / (time.perf_counter() - start)
        same = "identical" if sound_of(output) == sound_of(gray) else "NOT identical"
        cuts = "" if result.cuts is None else result.cuts
        flicker = f"{result.flicker:.3f} | {measure_flicker(output, truth):.3f}"
        print(f"| {name} | {flicker} | {psnr(output, truth):.2f} | {rate:.1f} | {cuts} | {same} |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("clip", type=Path)
    parser.add_argument("--working-size", type=int)
    main(parser.parse_args())
