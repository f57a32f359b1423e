import cv2
import numpy as np
import pytest
import scipy.ndimage
import skimage.data
import skimage.filters
from hypothesis import given
from hypothesis import strategies as st

from densecolor.image_io import Picture
from densecolor.packing.masks import otsu_mask
from densecolor.packing.masks import saliency_mask
from densecolor.packing.transforms import FITS
from densecolor.packing.transforms import fit_mask
from densecolor.packing.transforms import fit_picture


def disk_with_holes(background, foreground, noise=0):
    """A disk with three holes beside dust, and the mask of the whole disk; uint8 (120, 160, 3) and bool."""
    y, x = np.mgrid[:120, :160]
    disk = np.hypot(y - 60, x - 70) < 45
    shown = disk & (np.hypot(y - 50, x - 60) > 9) & (np.hypot(y - 70, x - 90) > 5) & (np.hypot(y - 75, x - 55) > 6)
    dust = np.hypot(y - 15, x - 140) < 5
    picture = np.where((shown | dust)[..., None], foreground, background) + np.zeros((120, 160, 3))
    picture += np.random.default_rng(0).normal(0, noise, picture.shape) if noise else 0
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8), disk


@pytest.mark.parametrize(
    ("background", "foreground"),
    [(0, 180), (10, (180, 60, 40)), (250, 90), (245, (120, 20, 90)), ((90, 90, 90), (90, 90, 200))],
)
@pytest.mark.parametrize("noise", [0, 8])
def test_otsu_finds_a_disk_on_dark_and_on_light_and_fills_its_holes(background, foreground, noise):
    picture, disk = disk_with_holes(background, foreground, noise)
    mask = otsu_mask(picture)
    assert mask.dtype == np.uint8
    np.testing.assert_array_equal(mask, np.where(disk, 255, 0))


def test_otsu_keeps_components_of_five_percent():
    picture = np.full((100, 200), 255, np.uint8)
    picture[20:60, 20:70] = 0  # 2000 pixels
    picture[70:80, 20:30] = 0  # 100: exactly 5%
    picture[70:79, 100:111] = 0  # 99
    mask = otsu_mask(picture)
    assert mask[20:60, 20:70].all()
    assert mask[70:80, 20:30].all()
    assert np.count_nonzero(mask) == 2100


@pytest.mark.parametrize("name", ["coins", "cell", "horse"])
def test_otsu_is_scikit_images_threshold_of_the_difference(name):
    picture = getattr(skimage.data, name)()
    picture = np.where(picture, 255, 0).astype(np.uint8) if picture.dtype == bool else picture
    border = np.concatenate([picture[0], picture[-1], picture[1:-1, 0], picture[1:-1, -1]])
    difference = np.abs(picture.astype(int) - int(np.median(border))).astype(np.uint8)
    labels, _ = scipy.ndimage.label(difference > skimage.filters.threshold_otsu(difference), np.ones((3, 3)))
    areas = np.bincount(labels.ravel())[1:]
    kept = np.isin(labels, 1 + np.flatnonzero(areas >= 0.05 * areas.max()))
    np.testing.assert_array_equal(otsu_mask(picture) > 0, scipy.ndimage.binary_fill_holes(kept))


def test_otsu_does_not_change_with_inversion_turning_or_depth(photographs):
    for photograph in [*photographs.values(), disk_with_holes(0, 200, 5)[0]]:
        mask = otsu_mask(photograph)
        np.testing.assert_array_equal(otsu_mask(np.ascontiguousarray(np.rot90(photograph))), np.rot90(mask))
        np.testing.assert_array_equal(otsu_mask(photograph[:, ::-1]), mask[:, ::-1])
        np.testing.assert_array_equal(otsu_mask(photograph.astype(np.uint16) * 257), mask)
        channels = cv2.merge([photograph[..., 0]] * 3)
        np.testing.assert_array_equal(otsu_mask(channels), otsu_mask(photograph[..., 0]))
        np.testing.assert_array_equal(otsu_mask(photograph[..., ::-1]), mask)
    disk, _ = disk_with_holes(0, 200)
    np.testing.assert_array_equal(otsu_mask(255 - disk), otsu_mask(disk))


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 40, 3), (40, 1), (30, 20), (3, 3, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("value", [0, 100, 255])
def test_pictures_without_contrast_are_foreground_everywhere(shape, dtype, value):
    picture = np.full(shape, value, dtype)
    assert (otsu_mask(picture) == 255).all()
    assert (saliency_mask(picture) == 255).all()
    assert otsu_mask(picture).shape == saliency_mask(picture).shape == shape[:2]
    picture[0, 0] += 7 if value < 255 else 0
    assert (otsu_mask(picture) == 255).all()


def test_saliency_weighs_a_thing_more_than_its_even_surroundings(photographs):
    for background, thing in ((200, 40), (40, 200)):
        picture = np.full((300, 400, 3), background, np.uint8)
        picture[100:180, 150:260] = thing
        mask = saliency_mask(picture)
        assert mask.dtype == np.uint8
        assert mask.shape == (300, 400)
        assert mask[100:180, 150:260].mean() > 4 * mask[:, :100].mean()
    for photograph in photographs.values():
        mask = saliency_mask(photograph)
        assert mask.shape == photograph.shape[:2]
        assert np.ptp(mask) > 200
        np.testing.assert_array_equal(saliency_mask(photograph.astype(np.uint16) * 257), mask)


def test_saliency_sees_colours_of_one_lightness():
    picture = np.full((200, 200, 3), (60, 140, 60), np.uint8)
    picture[70:130, 70:130] = (221, 60, 49)
    gray = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    assert np.ptp(gray.astype(int)) <= 1
    mask = saliency_mask(picture)
    assert mask[70:130, 70:130].mean() > 4 * mask[:, :40].mean()


@pytest.mark.parametrize("shape", [(1, 2, 3), (2, 1), (1, 3000), (3000, 1, 3), (5, 7, 3), (600, 2)])
def test_saliency_takes_any_size(shape):
    mask = saliency_mask(np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8))
    assert mask.shape == shape[:2]


def smooth_field(height, width):
    """Values that neither interpolation can overshoot, uint8 (height, width)."""
    y, x = np.linspace(0, 1, height)[:, None], np.linspace(0, 1, width)
    return np.rint(60 + 70 * y + 60 * x).astype(np.uint8)


SIDES = st.integers(1, 60)


@given(SIDES, SIDES, st.integers(1, 40), st.sampled_from(FITS), st.integers(0, 2**32 - 1))
def test_fit_mask_has_the_geometry_of_fit_picture(height, width, image_size, fit, seed):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)
    fitted = fit_mask(noise, image_size, fit)
    assert fitted.shape == (image_size, image_size)
    assert fitted.dtype == np.uint8
    picture = fit_picture(Picture(noise), image_size, fit)[..., 0]
    if (max if fit == "pad" else min)(height, width) >= image_size:  # nothing grows: the same averages
        np.testing.assert_array_equal(fitted, picture)
    ones = np.full((height, width), 255, np.uint8)
    np.testing.assert_array_equal(fit_mask(ones, image_size, fit), fit_picture(Picture(ones), image_size, fit)[..., 0])
    smooth = smooth_field(height, width)
    grown = fit_picture(Picture(smooth), image_size, fit)[..., 0]
    difference = fit_mask(smooth, image_size, fit).astype(int) - grown
    steps = max((70 / (height - 1) if height > 1 else 0), (60 / (width - 1) if width > 1 else 0))
    assert np.abs(difference).max() <= 2 + 0.2 * steps  # they only differ between the pixels of the mask


def test_fit_mask_never_overshoots_where_it_grows():
    step = np.repeat(np.uint8([[50, 50, 200, 200]]), 4, axis=0)
    assert fit_mask(step, 32).min() == 50
    assert fit_mask(step, 32).max() == 200
