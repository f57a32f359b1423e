import math

import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
import skimage.data
import skimage.metrics

from densecolor.errors import ImageError
from densecolor.metrics import mae
from densecolor.metrics import psnr
from densecolor.metrics import rmse
from densecolor.metrics import ssim

PICTURES = hypothesis.extra.numpy.arrays(np.uint8, (5, 4, 3))
BLACK = np.zeros((8, 8, 3), np.uint8)
WHITE = np.full((8, 8, 3), 255, np.uint8)


@pytest.fixture(scope="module")
def pair():
    """A photograph, and the same with noise."""
    photograph = skimage.data.astronaut()[:200, 100:260]
    noise = np.random.default_rng(0).normal(0, 20, photograph.shape)
    return photograph, np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8)


def test_hand_worked_differences():
    other = BLACK.copy()
    other[0, 0] = (0, 0, 192)  # one of 192 values differs, by 192
    assert mae(BLACK, other) == pytest.approx(1 / 255)
    assert rmse(BLACK, other) == pytest.approx(math.sqrt(192) / 255)
    assert psnr(BLACK, other) == pytest.approx(20 * math.log10(255) - 10 * math.log10(192))


def test_black_against_white_is_the_worst():
    assert psnr(BLACK, WHITE) == pytest.approx(0, abs=1e-12)
    assert mae(BLACK, WHITE) == rmse(BLACK, WHITE) == 1


def test_psnr_and_rmse_are_scikit_images(pair):
    assert psnr(*pair) == pytest.approx(skimage.metrics.peak_signal_noise_ratio(*pair), abs=1e-9)
    assert rmse(*pair) == pytest.approx(math.sqrt(skimage.metrics.mean_squared_error(*pair)) / 255, abs=1e-12)
    assert mae(*pair) == pytest.approx(np.abs(pair[0].astype(int) - pair[1]).mean() / 255, abs=1e-12)


def test_ssim_is_scikit_images(pair):
    expected = skimage.metrics.structural_similarity(*pair, channel_axis=-1, data_range=255)
    assert ssim(*pair) == pytest.approx(expected, abs=1e-6)


def test_ssim_of_bright_flat_pictures_is_scikit_images():
    bright = np.random.default_rng(0).integers(250, 256, (30, 30, 3), dtype=np.uint8)
    flat = np.full_like(bright, 255)
    expected = skimage.metrics.structural_similarity(bright, flat, channel_axis=-1, data_range=255)
    assert ssim(bright, flat) == pytest.approx(expected, abs=1e-5)


def test_ssim_of_the_smallest_picture_is_scikit_images(pair):
    smallest = [picture[:7, :7] for picture in pair]
    expected = skimage.metrics.structural_similarity(*smallest, channel_axis=-1, data_range=255)
    assert ssim(*smallest) == pytest.approx(expected, abs=1e-6)


def test_equal_pictures(pair):
    assert psnr(pair[0], pair[0]) == math.inf
    assert mae(pair[0], pair[0]) == rmse(pair[0], pair[0]) == 0
    assert ssim(pair[0], pair[0]) == pytest.approx(1)
    assert ssim(WHITE, WHITE) == 1


def test_a_picture_of_one_pixel():
    one, other = BLACK[:1, :1], WHITE[:1, :1]
    assert psnr(one, other) == pytest.approx(0, abs=1e-12)
    assert mae(one, other) == 1


@hypothesis.given(PICTURES, PICTURES)
def test_differences_are_symmetric_bounded_and_ordered(one, other):
    assert psnr(one, other) == psnr(other, one) >= 0
    assert 0 <= mae(one, other) <= rmse(one, other) + 1e-12 <= 1 + 1e-9
    assert mae(one, other) == mae(other, one)


@hypothesis.given(
    hypothesis.extra.numpy.arrays(np.uint8, (8, 9, 3)), hypothesis.extra.numpy.arrays(np.uint8, (8, 9, 3))
)
def test_ssim_is_symmetric_and_bounded(one, other):
    assert ssim(one, other) == ssim(other, one)
    assert -1 - 1e-6 <= ssim(one, other) <= 1 + 1e-6


def test_views_that_are_not_contiguous_compare_alike(pair):
    views = [picture[::2, ::-1] for picture in pair]
    copies = [view.copy() for view in views]
    for metric in (psnr, mae, rmse, ssim):
        assert metric(*views) == metric(*copies)


@pytest.mark.parametrize("metric", [psnr, mae, rmse, ssim])
@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (BLACK[:7], "the same shape"),
        (BLACK / 255, "rgb_pred.*dtype=float64"),
        (BLACK[..., 0], r"rgb_pred.*shape=\(8, 8\)"),
        (BLACK[:0], r"rgb_pred.*shape=\(0, 8, 3\)"),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, other, complaint):
    with pytest.raises(ImageError, match=complaint):
        metric(BLACK, other)


def test_ssim_says_how_large_a_picture_must_be():
    with pytest.raises(ImageError, match=r"7 x 7 pixels or more. Received: shape=\(6, 8, 3\)"):
        ssim(BLACK[:6], WHITE[:6])
