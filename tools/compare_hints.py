"""Measure what hints gain, and how far they leak: points with the true colours at random places of photographs.

python tools/compare_hints.py MODEL [PHOTOGRAPH...] [--edges 2 3 inf] [--points 1 5 20 100]

Without photographs, nine that come with the wheels of scikit-image and scikit-learn. Every photograph is reduced to the
grid on which hints spread. "worse" is the share of the pixels whose ab is farther from the truth than without hints, by
more than 5: what leaked over edges, or went too far. An edge of "inf" is plain distance, which knows no edges.
"""

import argparse

import cv2
import numpy as np
from sample_photographs import TRAIN
from sample_photographs import VALIDATION
from sample_photographs import find

from densecolor import load_model
from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.inference.hinted import GRID_SIZE
from densecolor.inference.hinted import spread
from densecolor.inference.picture import working_shape
from densecolor.inference.picture import working_size_of
from densecolor.inference.prediction import predict_outputs
from densecolor.inference.upsampling import Upsampler

MUCH = 5.0


def reduced(path):
    """Lab of a photograph on the grid, float32 (h, w, 3)."""
    pixels = read_image(path).pixels
    height, width = working_shape(*pixels.shape[:2], GRID_SIZE)
    return srgb_to_lab(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))


def predicted(lightness, model):
    """The model's ab on the grid."""
    height, width = working_shape(*lightness.shape, working_size_of(model))
    small = cv2.resize(lightness, (width, height), interpolation=cv2.INTER_AREA)
    upsampler = Upsampler(predict_outputs(small, model)["ab"], small, *lightness.shape)
    return upsampler.rows(0, len(lightness), lightness)


def main(arguments):
    """Print a row for each way and number of points: means over the photographs."""
    model = load_model(arguments.model)
    pictures = [reduced(path) for path in arguments.photographs or map(find, (*TRAIN, *VALIDATION))]
    print("| points | edge | error of ab | worse | |\n|---|---|---|---|---|")
    plain = [predicted(lab[..., 0], model) for lab in pictures]
    before = [np.linalg.norm(ab - lab[..., 1:], axis=-1) for ab, lab in zip(plain, pictures, strict=True)]
    print(f"| 0 | | {np.mean([error.mean() for error in before]):.2f} | | |")
    for count in arguments.points:
        for edge in arguments.edges:
            rows = []
            for number, (lab, ab) in enumerate(zip(pictures, plain, strict=True)):
                cells = np.sort(np.random.default_rng(number).choice(lab[..., 0].size, count, replace=False))
                share = spread(lab[..., 0], cells, lab.reshape(-1, 3)[cells, 1:], edge)
                hinted = ab * (1 - share[..., 2:]) + share[..., :2]
                error = np.linalg.norm(hinted - lab[..., 1:], axis=-1)
                rows.append((error.mean(), (error > before[number] + MUCH).mean(), share[..., 2].mean()))
            error, worse, reached = np.mean(rows, axis=0)
            print(f"| {count} | {edge:g} | {error:.2f} | {worse:.1%} | {reached:.0%} reached |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("photographs", nargs="*")
    parser.add_argument("--points", type=int, nargs="+", default=[1, 5, 20, 100])
    parser.add_argument("--edges", type=float, nargs="+", default=[2.0, 3.0, 5.0, float("inf")])
    main(parser.parse_args())
