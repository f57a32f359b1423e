import io

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data
from skimage import io as skimage_io
from skimage import metrics

from densecolor.errors import ImageError
from densecolor.image_io import WRITABLE_SUFFIXES
from densecolor.image_io import encode_image
from densecolor.image_io import read_image
from densecolor.image_io import write_image

RGB = data.astronaut()[30:79, 200:263].copy()  # 49 x 63
GRAY = RGB[..., 1].copy()
ALPHA = np.linspace(1, 255, GRAY.size).astype(np.uint8).reshape(GRAY.shape)


def fine(values):
    """16-bit values whose low byte matters."""
    return (values.astype(np.uint32) * 257 - values // 3).astype(np.uint16)


@pytest.mark.parametrize("suffix", [".png", ".tif", ".TIFF", ".webp"])
@pytest.mark.parametrize("pixels", [RGB, GRAY], ids=["rgb", "gray"])
@pytest.mark.parametrize("alpha", [None, ALPHA], ids=["opaque", "alpha"])
def test_lossless_formats_by_pillow(tmp_path, suffix, pixels, alpha):
    write_image(tmp_path / f"out{suffix}", pixels, alpha)
    with Image.open(tmp_path / f"out{suffix}") as image:
        colors = np.asarray(image.convert("RGB"))
        np.testing.assert_array_equal(colors, pixels if pixels.ndim == 3 else np.dstack([pixels] * 3))
        assert image.has_transparency_data == (alpha is not None)
        if alpha is not None:
            np.testing.assert_array_equal(np.asarray(image.getchannel("A")), alpha)


@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("pixels", [fine(RGB), fine(GRAY)], ids=["rgb", "gray"])
@pytest.mark.parametrize("alpha", [None, fine(ALPHA)], ids=["opaque", "alpha"])
def test_sixteen_bits_by_opencv(tmp_path, suffix, pixels, alpha):
    path = tmp_path / f"out{suffix}"
    write_image(path, pixels, alpha)
    stored = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    if pixels.ndim == 2 and alpha is None:
        np.testing.assert_array_equal(stored, pixels)
        return
    colors = pixels if pixels.ndim == 3 else np.dstack([pixels] * 3)
    np.testing.assert_array_equal(stored[..., 2::-1], colors)
    if alpha is not None:
        np.testing.assert_array_equal(stored[..., 3], alpha)


def test_sixteen_bit_tiff_by_scikit_image(tmp_path):
    write_image(tmp_path / "out.tif", fine(RGB), fine(ALPHA))
    np.testing.assert_array_equal(skimage_io.imread(tmp_path / "out.tif"), np.dstack([fine(RGB), fine(ALPHA)]))


def test_tiff_says_that_its_fourth_channel_is_alpha():
    with tifffile.TiffFile(io.BytesIO(encode_image(RGB, ".tif", ALPHA))) as file:
        assert file.pages[0].extrasamples == (tifffile.EXTRASAMPLE.UNASSALPHA,)


def test_jpeg_keeps_colour_at_full_resolution():
    encoded = encode_image(RGB, ".jpg")
    with Image.open(io.BytesIO(encoded)) as image:
        assert [component[1:3] for component in image.layer] == [(1, 1)] * 3  # 4:4:4
        stored = np.asarray(image)
    assert metrics.peak_signal_noise_ratio(RGB, stored) > 34


def test_jpeg_of_gray_has_one_channel():
    with Image.open(io.BytesIO(encode_image(GRAY, ".jpeg"))) as image:
        assert image.mode == "L"


@pytest.mark.parametrize("color", [(200, 30, 60), 200])
def test_jpeg_composes_alpha_onto_white(color):
    shape = (16, 16, 3) if isinstance(color, tuple) else (16, 16)
    pixels = np.full(shape, color, np.uint8)
    for opacity, expected in ((0, 255), (51, 255 * 0.8 + np.array(color) * 0.2), (255, np.array(color))):
        encoded = encode_image(pixels, ".jpg", np.full((16, 16), opacity, np.uint8))
        with Image.open(io.BytesIO(encoded)) as image:
            np.testing.assert_allclose(np.asarray(image)[8, 8], expected, atol=3)


def test_webp_rounds_sixteen_bits():
    values = np.array([[0, 128, 129, 65535, 32896, 32768]], np.uint16)
    with Image.open(io.BytesIO(encode_image(values, ".webp"))) as image:
        np.testing.assert_array_equal(np.asarray(image)[..., 0], [[0, 0, 1, 255, 128, 128]])


def test_nothing_is_overwritten_unasked(tmp_path):
    path = tmp_path / "out.png"
    write_image(path, GRAY)
    with pytest.raises(ImageError, match=r"out\.png exists already"):
        write_image(path, 255 - GRAY)
    np.testing.assert_array_equal(read_image(path).pixels, GRAY)
    write_image(path, 255 - GRAY, overwrite=True)
    np.testing.assert_array_equal(read_image(path).pixels, 255 - GRAY)


def test_folders_are_made_and_nothing_else_is_left(tmp_path):
    write_image(tmp_path / "a" / "b" / "out.png", GRAY)
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["out.png"]


def test_a_failed_write_leaves_nothing(tmp_path):
    (tmp_path / "taken.png").mkdir()
    with pytest.raises(OSError, match=r"taken\.png"):
        write_image(tmp_path / "taken.png", GRAY, overwrite=True)
    assert [path.name for path in tmp_path.iterdir()] == ["taken.png"]


@pytest.mark.parametrize(
    ("pixels", "alpha", "suffix", "message"),
    [
        (GRAY, None, ".gif", r"cannot be written as '.gif'. Choose from .jpeg, .jpg, .png"),
        (GRAY, None, "", "cannot be written as ''"),
        (GRAY.astype(float), None, ".png", "Received: dtype=float64"),
        (np.zeros((3, 4, 2), np.uint8), None, ".png", r"Received: dtype=uint8, shape=\(3, 4, 2\)"),
        (GRAY, ALPHA[1:], ".png", "`alpha` must be uint8"),
        (GRAY, fine(ALPHA), ".png", "Received: dtype=uint16"),
        (np.zeros((1, 20_000), np.uint8), None, ".webp", "20000 x 1 cannot be written as .webp"),
        (np.zeros((0, 4), np.uint8), None, ".png", "4 x 0 cannot be written as .png"),
    ],
)
def test_what_cannot_be_written(pixels, alpha, suffix, message):
    with pytest.raises(ImageError, match=message):
        encode_image(pixels, suffix, alpha)


def test_every_writable_suffix_can_be_read(tmp_path):
    for suffix in WRITABLE_SUFFIXES:
        write_image(tmp_path / f"out{suffix}", RGB)
        assert read_image(tmp_path / f"out{suffix}").pixels.shape == RGB.shape
