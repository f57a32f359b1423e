"""Draw README.md's picture: freely licensed photographs in gray, in a model's colours, and as they are.

python tools/readme_picture.py MODEL OUT.jpg
"""

import sys

import numpy as np
from sample_photographs import find

from densecolor import colorize
from densecolor import load_model
from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.packing.transforms import fit_picture

SIDE = 208
NAMES = ("chelsea.png", "rocket.jpg", "astronaut.png", "coffee.png")


def main(model_path, out):
    """Draw the photographs as columns of a grid of three rows."""
    model = load_model(model_path)
    columns = []
    for name in NAMES:
        truth = fit_picture(read_image(find(name)), SIDE, "crop")
        lab = srgb_to_lab(truth)
        gray = lab_to_srgb(lab * np.float32([1, 0, 0]))
        columns.append(np.concatenate([gray, colorize(gray[..., 0], model), truth]))
    write_image(out, np.concatenate(columns, axis=1), overwrite=True)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
