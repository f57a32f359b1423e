import numpy as np
import pytest

from densecolor.image_io import shrink
from densecolor.image_io import to_8_bits
from densecolor.image_io import to_rgb8


def test_every_value_of_16_bits_becomes_the_nearest_of_8():
    values = np.arange(65536, dtype=np.uint16)
    nearest = np.abs(values[:, None].astype(int) - 257 * np.arange(256)).argmin(axis=1)  # never two as near
    np.testing.assert_array_equal(to_8_bits(values), nearest)
    eight = np.arange(256, dtype=np.uint8)
    assert to_8_bits(eight) is eight


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_is_repeated_and_colour_kept(dtype):
    gray = np.arange(12, dtype=dtype).reshape(3, 4) * np.iinfo(dtype).max // 255
    rgb = np.dstack([gray, gray.T.reshape(3, 4), gray[::-1]])
    for pixels, expected in ((gray, np.dstack([gray] * 3)), (rgb, rgb)):
        result = to_rgb8(pixels)
        np.testing.assert_array_equal(result, to_8_bits(expected))
        assert result.flags.c_contiguous


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((100, 400, 3), 200, (50, 200, 3)), ((7, 5), 7, (7, 5)), ((1, 1000), 10, (1, 10)), ((3, 2), 9, (3, 2))],
)
def test_shrinking_keeps_proportions_and_enlarges_nothing(shape, side, expected):
    assert shrink(np.zeros(shape, np.uint8), side).shape == expected


def test_shrinking_takes_means():
    pixels = np.float32([[1, 3, 5, 7], [1, 3, 5, 7]])
    np.testing.assert_allclose(shrink(pixels, 2), [[2, 6]])
