import cv2
import numpy as np
import pytest

from densecolor.color import srgb_to_lab
from densecolor.errors import ImageError
from densecolor.metrics import color_bleeding

SIDE = 60


def halves(angle=0.0):
    """L and ab of two half planes, red and green, whose border runs at an angle; and how far each pixel is from it."""
    y, x = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    distance = x * np.cos(angle) + y * np.sin(angle)
    return np.where(distance < 0, 30.0, 70.0), distance


def colours(distance, width):
    """a going from -30 to 30 over so many pixels."""
    a = 60 * np.clip(distance / width, -0.5, 0.5)
    return np.stack([a, np.zeros_like(a)], axis=-1)


@pytest.mark.parametrize("angle", [0, 0.4, np.pi / 4, 2.0])
def test_colour_that_changes_at_the_edge_does_not_bleed(angle):
    lightness, distance = halves(angle)
    assert color_bleeding(lightness, colours(distance, 0.1)) < 0.02


def test_a_ramp_of_colour_bleeds_by_what_lies_outside():
    x = np.arange(40)
    lightness = np.tile(np.where(x < 20, 20.0, 80.0), (40, 1))
    ab = np.stack(np.broadcast_arrays(np.clip(4.0 * (x - 20), -32, 32), np.zeros((40, 40))), axis=-1)
    # Around the edge pixel 20: from 18 to 22 a changes by 16, from 14 to 26 by 48.
    assert color_bleeding(lightness, ab) == pytest.approx(1 - 16 / 48, abs=1e-6)


def test_colour_that_changes_beside_the_edge_bleeds_wholly():
    lightness, distance = halves()
    assert color_bleeding(lightness, colours(distance - 4.4, 0.1)) == 1


def test_blurred_colours_of_a_photograph_bleed_more(photographs):
    lab = srgb_to_lab(photographs["coffee.png"])
    values = [color_bleeding(lab[..., 0], lab[..., 1:])]
    values += [color_bleeding(lab[..., 0], cv2.GaussianBlur(lab[..., 1:], (0, 0), sigma)) for sigma in (2, 6)]
    assert 0 < values[0] < values[1] < values[2] < 1


def test_fading_does_not_change_how_much_bleeds():
    lightness, distance = halves(0.4)
    vivid = color_bleeding(lightness, colours(distance, 8))
    assert color_bleeding(lightness, 0.5 * colours(distance, 8)) == pytest.approx(vivid, abs=1e-4)


def test_without_edges_or_without_colour_there_is_nothing_to_say():
    lightness, distance = halves()
    assert np.isnan(color_bleeding(lightness, np.zeros((SIDE, SIDE, 2))))
    assert np.isnan(color_bleeding(np.full((SIDE, SIDE), 50.0), colours(distance, 1)))
    assert np.isnan(color_bleeding(np.full((1, 1), 50.0), np.zeros((1, 1, 2))))


def test_other_shapes_are_refused():
    with pytest.raises(ImageError, match=r"lightness.shape=\(3, 3\)"):
        color_bleeding(np.zeros((3, 3)), np.zeros((4, 4, 2)))
