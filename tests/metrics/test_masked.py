import math

import numpy as np
import pytest
import skimage.metrics

from densecolor.errors import ImageError
from densecolor.metrics import composite
from densecolor.metrics import masked_errors
from densecolor.metrics import psnr


@pytest.fixture(scope="module")
def pair(photographs):
    """A photograph, and the same darker to the right."""
    photograph = photographs["astronaut.png"][:90, 200:300]
    factor = np.linspace(1, 0.6, 100)[:, None]
    return photograph, np.rint(photograph * factor).astype(np.uint8)


def disc(radius=30):
    y, x = np.mgrid[:90, :100]
    return np.where(np.hypot(y - 45, x - 50) < radius, 255, 0).astype(np.uint8)


def test_a_composite_is_the_mixture_rounded(pair):
    mask = np.random.default_rng(0).integers(0, 256, (90, 100), dtype=np.uint8)
    for background in ((0, 0, 0), (255, 255, 255), (10, 200, 30)):
        weight = mask[..., None] / 255
        expected = np.floor(pair[0] * weight + np.array(background) * (1 - weight) + 0.5 - 1e-9)
        difference = np.abs(composite(pair[0], mask, background) - expected)
        assert difference.max() == 0


def test_a_hard_mask_keeps_the_one_and_paints_the_other(pair):
    made = composite(pair[0], disc(), (255, 0, 255))
    assert (made[disc() == 255] == pair[0][disc() == 255]).all()
    assert (made[disc() == 0] == (255, 0, 255)).all()


def test_errors_inside_a_mask_are_those_of_its_pixels(pair):
    inside = disc() == 255
    errors = masked_errors(*pair, disc())
    true, predicted = (picture[inside] / 255 for picture in pair)
    assert errors["mae"] == pytest.approx(np.abs(true - predicted).mean())
    assert errors["psnr"] == pytest.approx(skimage.metrics.peak_signal_noise_ratio(true, predicted, data_range=1))
    _, full = skimage.metrics.structural_similarity(*pair, channel_axis=-1, data_range=255, full=True)
    assert errors["ssim"] == pytest.approx(full[inside].mean(), abs=1e-5)


def test_a_full_mask_is_the_whole_picture(pair):
    errors = masked_errors(*pair, np.full((90, 100), 255, np.uint8))
    assert errors["psnr"] == pytest.approx(psnr(*pair))


def test_an_empty_mask_has_no_errors_to_speak_of(pair):
    assert all(math.isnan(value) for value in masked_errors(*pair, np.zeros((90, 100), np.uint8)).values())
    assert masked_errors(pair[0], pair[0], disc())["psnr"] == math.inf


def test_what_is_no_mask_is_refused(pair):
    with pytest.raises(ImageError, match=r"`mask`.*shape=\(3, 3\)"):
        composite(pair[0], np.zeros((3, 3), np.uint8), (0, 0, 0))
    with pytest.raises(ImageError, match="dtype=float64"):
        masked_errors(*pair, disc() / 255)
