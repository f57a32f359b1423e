"""How well ways to enlarge colour find it again: the truth's a and b are reduced, enlarged, and compared with it.

    python tools/compare_upsampling.py PHOTOGRAPHS... [--sizes 256 64] [--pictures 40]

The largest photographs are taken. For each way, the mean over pictures of: the error of ab (Euclidean) of all pixels
and of those within two pixels of the strongest 5 % of the truth's colour edges (bleeding), PSNR of the RGB picture with
the truth's own lightness, and mean chroma against the truth's. `guided filter` is OpenCV's, at full size, on bilinear
ab.
"""

import argparse

import cv2
import numpy as np
from PIL import Image

from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.image_io import find_images
from densecolor.image_io import read_image
from densecolor.inference.picture import working_shape
from densecolor.inference.upsampling import UPSAMPLINGS
from densecolor.inference.upsampling import Upsampler

EDGES = 0.05  # of the pixels
FILTER_VARIANCE = 4.0


def enlarged_by_opencv(interpolation):
    """A way that knows nothing of the lightness."""
    return lambda small, ab, lightness: cv2.resize(ab, lightness.shape[::-1], interpolation=interpolation)


def guided_filter(small, ab, lightness):
    """OpenCV's guided filter over one pixel of the working resolution."""
    plain = cv2.resize(ab, lightness.shape[::-1], interpolation=cv2.INTER_LINEAR)
    radius = max(1, round(len(lightness) / len(ab)))
    return cv2.ximgproc.guidedFilter(lightness, plain, radius, FILTER_VARIANCE)


def our(method):
    """One of `UPSAMPLINGS`."""

    def enlarge(small, ab, lightness):
        height, width = lightness.shape
        return Upsampler(ab, small, height, width, method).rows(0, height, lightness)

    return enlarge


WAYS = {
    "nearest": enlarged_by_opencv(cv2.INTER_NEAREST),
    "bicubic": enlarged_by_opencv(cv2.INTER_CUBIC),
    "guided filter": guided_filter,
    **{method: our(method) for method in UPSAMPLINGS},
}


def figures(rgb, size):
    """The measures of one picture, by way."""
    lab = srgb_to_lab(rgb)
    lightness, ab = np.ascontiguousarray(lab[..., 0]), np.ascontiguousarray(lab[..., 1:])
    small = cv2.resize(lab, working_shape(*lightness.shape, size)[::-1], interpolation=cv2.INTER_AREA)
    gradient = sum(np.abs(cv2.Sobel(ab, cv2.CV_32F, *order)).sum(-1) for order in ((1, 0), (0, 1)))
    edges = (gradient > np.quantile(gradient, 1 - EDGES)).astype(np.uint8)
    edges = cv2.dilate(edges, np.ones((5, 5), np.uint8)) > 0
    result = {}
    for name, enlarge in WAYS.items():
        found = enlarge(np.ascontiguousarray(small[..., 0]), np.ascontiguousarray(small[..., 1:]), lightness)
        error = np.linalg.norm(found - ab, axis=-1)
        psnr = cv2.PSNR(lab_to_srgb(np.dstack([lightness, found])), rgb)
        chroma = np.linalg.norm(found, axis=-1).mean() / np.linalg.norm(ab, axis=-1).mean()
        result[name] = (error.mean(), error[edges].mean(), psnr, chroma)
    return result


def main():
    """Print a table in Markdown for each size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photographs", nargs="+")
    parser.add_argument("--sizes", nargs="+", type=int, default=(256, 64))
    parser.add_argument("--pictures", type=int, default=40)
    arguments = parser.parse_args()

    def pixels(path):
        with Image.open(path) as image:
            return image.width * image.height if image.mode == "RGB" else 0

    paths = sorted(find_images(arguments.photographs), key=pixels)[-arguments.pictures :]
    for size in arguments.sizes:
        every = [figures(read_image(path).pixels, size) for path in paths]
        area = np.mean([pixels(path) for path in paths])
        print(f"\n{len(paths)} photographs of {area / 1e6:.2f} MP on average, ab reduced to {size} squared\n")
        print("| way | error of ab | near edges | PSNR, dB | chroma kept |")
        print("|---|---|---|---|---|")
        for name in WAYS:
            error, edges, psnr, chroma = np.mean([picture[name] for picture in every], axis=0)
            print(f"| {name} | {error:.2f} | {edges:.2f} | {psnr:.2f} | {chroma:.3f} |")


if __name__ == "__main__":
    main()
