"""Write a small set of freely licensed photographs, cut into tiles, for `make demo` and for h5data/.

    python tools/sample_photographs.py OUT

OUT gets `colour/train/` and `colour/validation/` (tiles of 128 x 128 from different photographs) and `gray/` (two whole
photographs without their colour, to be colorized). The photographs come with the wheels of scikit-image and
scikit-learn; h5data/README.md names their authors and licences.
"""

import sys
from pathlib import Path

import cv2
import skimage
import sklearn

TILE = 128
SHORTER_SIDES = (TILE * 2, TILE * 3)  # each photograph is tiled at these two sizes
TRAIN = ("chelsea.png", "rocket.jpg", "retina.jpg", "ihc.png", "hubble_deep_field.jpg", "china.jpg", "flower.jpg")
VALIDATION = ("astronaut.png", "coffee.png")


def find(name):
    """The path of one photograph inside the installed wheels."""
    folders = (Path(skimage.__file__).parent / "data", Path(sklearn.__file__).parent / "datasets" / "images")
    return next(folder / name for folder in folders if (folder / name).exists())


def tiles(photo):
    """Yield tiles (TILE, TILE, 3) of a photograph at two sizes."""
    for side in SHORTER_SIDES:
        scale = side / min(photo.shape[:2])
        small = cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        for top in range(0, small.shape[0] - TILE + 1, TILE):
            for left in range(0, small.shape[1] - TILE + 1, TILE):
                yield small[top : top + TILE, left : left + TILE]


def main(out):
    """Write the tiles and the gray photographs."""
    for split, names in (("train", TRAIN), ("validation", VALIDATION)):
        folder = out / "colour" / split
        folder.mkdir(parents=True, exist_ok=True)
        for name in names:
            photo = cv2.imread(str(find(name)))
            for number, tile in enumerate(tiles(photo)):
                cv2.imwrite(str(folder / f"{Path(name).stem}-{number:02d}.png"), tile)
    (out / "gray").mkdir(exist_ok=True)
    for name in VALIDATION:
        gray = cv2.imread(str(find(name)), cv2.IMREAD_GRAYSCALE)
        cv2.imwrite(str(out / "gray" / f"{Path(name).stem}.png"), gray)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
