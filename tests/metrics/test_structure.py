import numpy as np
import pytest
import skimage.metrics

from densecolor.errors import ImageError
from densecolor.metrics import ssim
from densecolor.metrics import ssim_gaussian
from densecolor.metrics import ssim_map


@pytest.fixture(scope="module")
def pair(photographs):
    """A photograph of odd sides, and the same with noise."""
    photograph = photographs["astronaut.png"][:201, 100:263]
    noise = np.random.default_rng(0).normal(0, 20, photograph.shape)
    return photograph, np.clip(np.rint(photograph + noise), 0, 255).astype(np.uint8)


def tf_ssim(*pair):
    import tensorflow as tf

    return float(tf.image.ssim(*(tf.constant(picture) for picture in pair), max_val=255))


def test_the_gaussian_one_is_tensorflows(pair):
    assert ssim_gaussian(*pair) == pytest.approx(tf_ssim(*pair), abs=1e-4)


def test_the_gaussian_one_is_scikit_images_with_the_papers_window(pair):
    """Which computes in 64 bits; TensorFlow's own rounding costs it 3e-4 of bright pictures."""
    bright = [np.random.default_rng(seed).integers(240, 256, (40, 30, 3), dtype=np.uint8) for seed in (0, 1)]
    options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    for pictures in (pair, bright):
        expected = skimage.metrics.structural_similarity(*pictures, channel_axis=-1, data_range=255, **options)
        assert ssim_gaussian(*pictures) == pytest.approx(expected, abs=2e-5)


def test_a_wrong_data_range_gives_what_scikit_image_gives(pair):
    floats = [picture / 255 for picture in pair]
    expected = skimage.metrics.structural_similarity(*floats, channel_axis=-1, data_range=2.0)
    assert ssim(*pair, data_range=510) == pytest.approx(expected, abs=1e-5)


def test_the_map_is_scikit_images(pair):
    _, full = skimage.metrics.structural_similarity(*pair, channel_axis=-1, data_range=255, full=True)
    np.testing.assert_allclose(ssim_map(*pair), full.mean(axis=-1)[3:-3, 3:-3], atol=1e-4)
    assert ssim_map(*pair).mean() == pytest.approx(ssim(*pair), abs=1e-6)


def test_bands_of_large_pictures_make_no_difference(pair):
    large = [np.tile(picture, (2, 3, 1)) for picture in pair]
    expected = skimage.metrics.structural_similarity(*large, channel_axis=-1, data_range=255)
    assert ssim(*large) == pytest.approx(expected, abs=1e-5)


def test_one_colour_and_equal_pictures(pair):
    flat, darker = np.full((20, 20, 3), 200, np.uint8), np.full((20, 20, 3), 100, np.uint8)
    c1 = (0.01 * 255) ** 2
    expected = (2 * 200 * 100 + c1) / (200**2 + 100**2 + c1)
    assert ssim(flat, darker) == pytest.approx(expected, abs=1e-6)
    assert ssim_gaussian(flat, darker) == pytest.approx(expected, abs=1e-4)
    assert ssim_gaussian(pair[0], pair[0]) == pytest.approx(1, abs=1e-9)


def test_the_smallest_picture():
    smallest = np.random.default_rng(0).integers(0, 256, (2, 11, 11, 3), dtype=np.uint8)
    assert ssim_gaussian(*smallest) == pytest.approx(tf_ssim(*smallest), abs=1e-4)
    with pytest.raises(ImageError, match="11 x 11 pixels or more"):
        ssim_gaussian(*smallest[:, :10])
