import cv2
import numpy as np
import pytest

from densecolor.color import srgb_to_lab
from densecolor.image_io import Picture
from densecolor.packing.transforms import fit_picture
from densecolor.packing.transforms import is_grayscale


def block_means(pixels, factor):
    """What averaging an integer number of pixels gives, without OpenCV."""
    height, width = pixels.shape[0] // factor, pixels.shape[1] // factor
    return pixels[: height * factor, : width * factor].reshape(height, factor, width, factor, -1).mean((1, 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("transpose", [False, True])
def test_crop_keeps_the_centre_and_averages(photographs, dtype, transpose):
    rgb = photographs["coffee.png"][:96, :140].astype(dtype)
    centre = rgb[:, 22:118]
    if transpose:
        rgb, centre = rgb.swapaxes(0, 1), centre.swapaxes(0, 1)
    fitted = fit_picture(Picture(rgb, None), 32, "crop")
    assert fitted.dtype == dtype
    np.testing.assert_allclose(fitted, block_means(centre, 3), atol=0.51)


def test_pad_adds_black_bars(photographs):
    rgb = np.maximum(photographs["coffee.png"][:96, :128], 1)
    fitted = fit_picture(Picture(rgb, None), 32, "pad")
    assert not fitted[:4].any()
    assert not fitted[28:].any()
    np.testing.assert_allclose(fitted[4:28], block_means(rgb, 4), atol=0.51)
    portrait = fit_picture(Picture(rgb.swapaxes(0, 1), None), 32, "pad")
    np.testing.assert_array_equal(portrait, fitted.swapaxes(0, 1))


def test_pad_keeps_a_pixel_of_a_very_long_picture():
    assert fit_picture(Picture(np.full((1, 5000, 3), 9, np.uint8), None), 32, "pad").any()


def test_stretch_averages_the_side_that_shrinks_while_the_other_grows(photographs):
    rgb = photographs["coffee.png"][:8, :128]
    fitted = fit_picture(Picture(rgb, None), 32, "stretch")
    narrowed = rgb.reshape(8, 32, 4, 3).mean(2)
    np.testing.assert_allclose(fitted[[2, 6, 10]].mean(), narrowed[[0, 1, 2]].mean(), atol=6)
    assert np.abs(fitted[1::4].astype(float) - narrowed).mean() < 6  # rows 1, 5, ... lie near the source's rows


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_one_pixel_fills_the_square(fit):
    fitted = fit_picture(Picture(np.uint8([[[10, 200, 30]]]), None), 16, fit)
    assert (fitted == (10, 200, 30)).all()


def test_transparent_pixels_are_seen_on_white():
    pixels = np.full((4, 4, 3), (200, 100, 0), np.uint8)
    alpha = np.repeat(np.uint8([[0, 51, 204, 255]]), 4, axis=0)
    fitted = fit_picture(Picture(pixels, alpha), 4, "crop")
    # value * alpha / 255 + 255 * (1 - alpha / 255), by hand
    assert fitted[0].tolist() == [[255, 255, 255], [244, 224, 204], [211, 131, 51], [200, 100, 0]]
    gray = fit_picture(Picture(np.zeros((4, 4), np.uint16), alpha.astype(np.uint16) * 257), 4, "crop")
    assert gray[0, :, 0].tolist() == [65535, 52428, 13107, 0]


def test_gray_pictures_get_three_equal_channels():
    fitted = fit_picture(Picture(np.arange(64, dtype=np.uint8).reshape(8, 8), None), 8, "crop")
    assert fitted.shape == (8, 8, 3)
    assert (fitted == fitted[..., :1]).all()


def chroma_planes(rgb):
    return cv2.split(srgb_to_lab(rgb))[1:]


@pytest.mark.parametrize("quality", [50, 95])
def test_gray_photograph_saved_as_colour_jpeg_is_grayscale(photographs, quality):
    for rgb in photographs.values():
        gray = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
        stored = cv2.imencode(".jpg", cv2.merge([gray] * 3), [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        assert is_grayscale(*chroma_planes(cv2.imdecode(stored, cv2.IMREAD_COLOR_RGB)))
        assert not is_grayscale(*chroma_planes(rgb))


def test_a_coloured_thing_of_two_percent_in_a_gray_scene_is_colour(photographs):
    gray = cv2.cvtColor(photographs["chelsea.png"][:200, :200], cv2.COLOR_RGB2GRAY)
    rgb = cv2.merge([gray] * 3)
    rgb[:20, :40] = (200, 40, 40)
    assert not is_grayscale(*chroma_planes(rgb))
    rgb[4:20, :40] = 90
    assert is_grayscale(*chroma_planes(rgb))  # 0.4%, a date stamp


def test_faint_tint_of_a_scan_is_grayscale():
    ramp = np.linspace(0, 255, 64).astype(np.uint8)
    rgb = np.stack([np.minimum(ramp, 252) + 3, ramp, ramp], axis=-1)[None].repeat(64, 0)
    assert is_grayscale(*chroma_planes(rgb))
