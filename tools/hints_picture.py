"""Draw docs/hints.jpg: a freely licensed photograph in gray with its hints, as predicted, and as two sets of hints ask.

python tools/hints_picture.py MODEL OUT.jpg
"""

import sys

import cv2
import numpy as np
from sample_photographs import find

from densecolor import colorize
from densecolor import load_model
from densecolor.color import lab_to_srgb
from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import read_hints

NAME = "coffee.png"
WIDTH = 300
CUP = ((110, 230), (150, 330), (430, 290), (330, 360), (250, 225), (230, 260), (450, 200), (330, 222))
REST = ("60,130,#a06a3a", "520,120,#a06a3a", "540,330,#8a5a30", "200,380,#7a5030", "40,300,#8a5a30",
        "505,205,#a06a3a", "65,215,#a06a3a", "120,100,#a06a3a",
        "280,150,#b5762c", "345,145,#b5762c", "388,140,#e8e0d5",
        "290,30,#e8e0d5", "190,130,#e8e0d5", "365,290,#8a8580", "40,40,#202020")  # fmt: skip
RED, BLUE = ([*(f"{x},{y},{color}" for x, y in CUP), *REST] for color in ("#9a2f1c", "#2c4f9a"))


def marked(gray, hints):
    """The gray picture with the hints as dots."""
    picture = gray.copy()
    for x, y, color in read_hints(hints).points:
        cv2.circle(picture, (x, y), 9, (255, 255, 255), -1, cv2.LINE_AA)
        cv2.circle(picture, (x, y), 7, color, -1, cv2.LINE_AA)
    return picture


def main(model_path, out):
    """Draw the four pictures in two rows."""
    model = load_model(model_path)
    truth = read_image(find(NAME)).pixels
    gray = lab_to_srgb(srgb_to_lab(truth) * np.float32([1, 0, 0]))
    pictures = [
        marked(gray, RED),
        colorize(gray, model),
        colorize(gray, model, hints=RED),
        colorize(gray, model, hints=BLUE),
    ]
    small = [cv2.resize(p, (WIDTH, WIDTH * p.shape[0] // p.shape[1]), interpolation=cv2.INTER_AREA) for p in pictures]
    write_image(
        out, np.concatenate([np.concatenate(small[:2], axis=1), np.concatenate(small[2:], axis=1)]), overwrite=True
    )


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
