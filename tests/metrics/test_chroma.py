import numpy as np
import pytest
import skimage.data

from densecolor.errors import ImageError
from densecolor.metrics import colorfulness
from densecolor.metrics import mean_chroma


def test_gray_has_no_colour():
    assert colorfulness(np.full((5, 5, 3), 80, np.uint8)) == 0
    assert mean_chroma(np.zeros((5, 5, 2), np.int8)) == 0


def test_hand_worked_colorfulness():
    red_and_gray = np.uint8([[[200, 0, 0], [100, 100, 100]]])
    # rg = 200, 0; yb = 100, 0: deviations 100 and 50, means 100 and 50.
    assert colorfulness(red_and_gray) == pytest.approx(1.3 * np.hypot(100, 50))


def test_one_colour_scores_by_its_distance_from_gray_alone():
    assert colorfulness(np.uint8([[[0, 0, 255]]])) == pytest.approx(0.3 * 255)


def test_colorfulness_grows_with_saturation():
    photograph = skimage.data.coffee()[:100, :100]
    gray = photograph.mean(axis=-1, keepdims=True)
    half = np.rint((photograph + gray) / 2).astype(np.uint8)
    assert 0 < colorfulness(half) < colorfulness(photograph) < 110


def test_hand_worked_mean_chroma():
    assert mean_chroma(np.float32([[[3, 4], [0, 0]]])) == pytest.approx(2.5)
    assert mean_chroma(np.int8([[[-128, 0], [0, -128]]])) == 128


def test_what_is_no_picture_is_refused():
    with pytest.raises(ImageError, match="NaN"):
        mean_chroma(np.full((2, 2, 2), np.nan))
    with pytest.raises(ImageError, match=r"`rgb`.*float64"):
        colorfulness(np.zeros((2, 2, 3)))
