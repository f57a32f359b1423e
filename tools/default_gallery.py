"""Draw docs/default-gallery.jpg: twenty freely licensed pictures in gray, in a model's colours, and as they are.

python tools/default_gallery.py MODEL OUT.jpg

Nine whole photographs from the wheels of scikit-image and scikit-learn, and eleven parts of them, five rows of four; no
picture was chosen by how its colours came out.
"""

import sys

import cv2
import numpy as np
from sample_photographs import TRAIN
from sample_photographs import VALIDATION
from sample_photographs import find

from densecolor import colorize
from densecolor import load_model
from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.image_io import write_image

SIDE, GAP, COLUMNS = 112, 6, 4
QUARTERS = {
    "china.jpg": (0, 1, 3),
    "flower.jpg": (0, 1),
    "astronaut.png": (0, 1, 2),
    "coffee.png": (1,),
    "chelsea.png": (0,),
    "rocket.jpg": (1,),
}


def pictures():
    """Yield twenty pictures, uint8 (SIDE, SIDE, 3) RGB: each photograph, then some of its quarters."""
    for name in (*TRAIN, *VALIDATION):
        whole = read_image(find(name)).pixels
        middle = [side // 2 for side in whole.shape[:2]]
        quarters = [whole[rows, columns] for rows in _halves(middle[0]) for columns in _halves(middle[1])]
        for picture in (whole, *(quarters[index] for index in QUARTERS.get(name, ()))):
            yield _square(np.ascontiguousarray(picture))


def _halves(middle):
    return slice(None, middle), slice(middle, None)


def _square(pixels):
    side = min(pixels.shape[:2])
    top, left = ((size - side) // 2 for size in pixels.shape[:2])
    square = pixels[top : top + side, left : left + side, :3]
    return cv2.resize(square, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_AREA)


def main(model_path, out):
    """Draw gray, colours and truth side by side for each."""
    model = load_model(model_path)
    cells = []
    for truth in pictures():
        gray = lab_to_srgb(srgb_to_lab(truth) * np.float32([1, 0, 0]))
        row = np.concatenate([gray, colorize(gray[..., 0], model), truth], axis=1)
        row = cv2.resize(row, (3 * SIDE, SIDE), interpolation=cv2.INTER_AREA)
        cells.append(np.pad(row, ((0, GAP), (0, GAP), (0, 0)), constant_values=255))
    rows = [np.concatenate(cells[start : start + COLUMNS], axis=1) for start in range(0, len(cells), COLUMNS)]
    write_image(out, np.concatenate(rows), overwrite=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
