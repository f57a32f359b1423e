import io

import numpy as np
import pytest
from PIL import Image
from skimage import data

from densecolor.inference import is_in_color

PHOTOGRAPHS = {
    "astronaut": data.astronaut(),
    "coffee": data.coffee(),
    "chelsea": data.chelsea(),
    "rocket": data.rocket(),
}
GRAY = data.camera()


def as_jpeg(rgb, quality):
    stream = io.BytesIO()
    Image.fromarray(rgb).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


def tinted(low, middle, high):
    """The camera man from one colour over another to a third."""
    rgb = [np.interp(GRAY, [0, 128, 255], channel) for channel in zip(low, middle, high, strict=True)]
    return np.rint(np.stack(rgb, axis=-1)).astype(np.uint8)


SEPIA = tinted((20, 10, 5), (150, 125, 95), (255, 245, 225))
BLUE_PRINT = tinted((5, 15, 40), (95, 130, 160), (235, 245, 255))
YELLOWED = tinted((0, 0, 0), (128, 128, 120), (250, 240, 205))


@pytest.mark.parametrize("name", PHOTOGRAPHS)
@pytest.mark.parametrize("quality", [100, 30])
def test_photographs_in_colour(name, quality):
    assert is_in_color(as_jpeg(PHOTOGRAPHS[name], quality))
    assert is_in_color(PHOTOGRAPHS[name].astype(np.uint16) * 257)


@pytest.mark.parametrize(
    "rgb", [np.dstack([GRAY] * 3), SEPIA, BLUE_PRINT, YELLOWED], ids=["plain", "sepia", "blue", "yellow"]
)
@pytest.mark.parametrize("quality", [100, 75, 20])
def test_gray_however_it_is_delivered(rgb, quality):
    noise = np.random.default_rng(0).normal(0, 6, rgb.shape)
    assert not is_in_color(as_jpeg(rgb, quality))
    assert not is_in_color(as_jpeg(np.clip(rgb + noise, 0, 255).astype(np.uint8), quality))


def test_one_channel_is_gray():
    assert not is_in_color(GRAY)


def test_a_little_colour_in_a_gray_picture_counts():
    rgb = np.dstack([GRAY] * 3)
    rgb[200:280, 200:280] = PHOTOGRAPHS["astronaut"][300:380, 130:210]  # 2.4% of it
    assert is_in_color(rgb)


def test_a_picture_in_one_strong_colour_is_in_colour():
    assert is_in_color(tinted((30, 0, 0), (190, 60, 20), (255, 200, 120)))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (300, 1), (2, 2)])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_tiny_and_plain_pictures(shape, level):
    assert not is_in_color(np.full((*shape, 3), level, np.uint8))
