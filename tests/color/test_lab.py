import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from skimage.color import lab2rgb
from skimage.color import rgb2lab
from skimage.color import rgb2xyz

from densecolor import color
from densecolor.errors import ImageError


@pytest.mark.parametrize(
    ("rgb", "lab"),
    [
        ((255, 255, 255), (100, 0, 0)),
        ((0, 0, 0), (0, 0, 0)),
        ((255, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 255, 0), (87.73, -86.18, 83.18)),
        ((0, 0, 255), (32.30, 79.19, -107.86)),
        ((119, 119, 119), (50.03, 0, 0)),
    ],
)
def test_reference_colors(rgb, lab):
    np.testing.assert_allclose(color.srgb_to_lab(np.uint8(rgb)), lab, atol=0.03)


def test_equals_scikit_image_on_photographs(photographs):
    for photo in photographs.values():
        np.testing.assert_allclose(color.srgb_to_lab(photo), rgb2lab(photo), atol=0.05)


def test_back_equals_scikit_image_inside_the_gamut(photographs):
    lab = rgb2lab(photographs["coffee.png"]).astype(np.float32)
    np.testing.assert_allclose(color.lab_to_srgb(lab, np.float32), lab2rgb(lab), atol=2e-3)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.uint8, 0), (np.uint16, 32)])
@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_round_trip(dtype, tolerance, data):
    rgb = data.draw(hnp.arrays(dtype, (4, 5, 3)))
    back = color.lab_to_srgb(color.srgb_to_lab(rgb), dtype)
    assert back.dtype == dtype
    assert np.abs(back.astype(int) - rgb).max() <= tolerance


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_gray_is_exact_through_lightness(dtype):
    gray = np.arange(np.iinfo(dtype).max + 1, dtype=dtype)
    lightness = color.gray_to_lightness(gray)
    lab = np.stack([lightness, np.zeros_like(lightness), np.zeros_like(lightness)], axis=-1)
    np.testing.assert_array_equal(color.lab_to_srgb(lab, dtype), np.stack([gray] * 3, axis=-1))


def test_gray_is_lightness_of_linear_light_not_luma():
    gray = np.uint8([0, 1, 50, 119, 200, 255])
    np.testing.assert_allclose(color.gray_to_lightness(gray), rgb2lab(np.stack([gray] * 3, -1))[..., 0], atol=5e-3)
    np.testing.assert_allclose(color.gray_to_lightness(gray / 255), color.gray_to_lightness(gray), atol=1e-3)


@settings(max_examples=60, deadline=None)
@given(
    lab=hnp.arrays(
        np.float32,
        (6, 3),
        elements=st.floats(-3e4, 3e4, width=32),
    )
)
def test_gamut_keeps_lightness_and_hue_and_lowers_chroma(lab):
    lab[:, 0] = np.clip(lab[:, 0], 0, 100)
    mapped = color.map_to_gamut(lab)
    np.testing.assert_array_equal(mapped[:, 0], lab[:, 0])
    before, after = np.hypot(*lab[:, 1:].T), np.hypot(*mapped[:, 1:].T)
    assert (after <= before + 1e-3).all()
    cross = lab[:, 1] * mapped[:, 2] - lab[:, 2] * mapped[:, 1]
    np.testing.assert_allclose(cross / np.maximum(before, 1), 0, atol=1e-3)
    # Inside the gamut means that scikit-image's unclipped conversion stays within a code value.
    rgb = lab2rgb(mapped[None])[0]
    np.testing.assert_allclose(rgb2lab(rgb[None])[0], mapped, atol=1.1)


def test_gamut_leaves_real_colors_alone(photographs):
    lab = color.srgb_to_lab(photographs["astronaut.png"])
    np.testing.assert_array_equal(color.map_to_gamut(lab), lab)


@pytest.mark.parametrize(
    "primary", [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (0, 255, 255), (255, 0, 255)]
)
def test_gamut_reaches_its_tips(primary):
    # A primary scaled up in chroma comes back to the primary: yellow too, where the gamut has a gap before its tip.
    lab = color.srgb_to_lab(np.uint8(primary))
    np.testing.assert_allclose(color.map_to_gamut(lab * [1, 5, 5]), lab, atol=1.5)


@pytest.mark.parametrize("lightness", [-3, 0, 100, 120])
def test_black_and_white_have_no_color(lightness):
    lab = np.float32([[lightness, 0.5, -0.5], [lightness, 30, -20], [lightness, np.inf, 0]])
    np.testing.assert_array_equal(color.map_to_gamut(lab)[:, 1:], 0)
    np.testing.assert_array_equal(color.lab_to_srgb(lab), 0 if lightness <= 0 else 255)


def test_rounding_in_a_shard_leaves_the_colors_of_a_picture_alone():
    random = np.random.default_rng(0)
    rgb = np.where(random.random((200, 200, 3)) < 0.5, 255 * random.integers(0, 2, (200, 200, 3)), 0).astype(np.uint8)
    rgb[:100, :, :2] = random.integers(230, 256, (100, 200, 2))  # bright yellows
    lab = color.srgb_to_lab(rgb)
    lab[..., 0] = color.dequantize_lightness(color.quantize_lightness(lab[..., 0]))
    lab[..., 1:] = color.quantize_ab(lab[..., 1:])
    back = color.lab_to_srgb(lab).astype(int)
    assert np.abs(back - rgb)[..., :2].max() <= 8
    assert np.abs(rgb2lab(back / 255) - rgb2lab(rgb)).max() < 2


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30, -1e30])
def test_senseless_ab_gives_a_sane_color(bad):
    rgb = color.lab_to_srgb(np.float32([[50, bad, 0], [50, 0, bad]]))
    lightness = rgb2lab(rgb[None])[0, :, 0]
    np.testing.assert_allclose(lightness, 50, atol=0.6)


def test_ranges_round_trip():
    lightness, ab = np.float32([0, 12.5, 100]), np.float32([-128, 0, 127])
    np.testing.assert_array_equal(color.normalize_lightness(lightness), [-1, -0.75, 1])
    np.testing.assert_array_equal(color.denormalize_lightness(color.normalize_lightness(lightness)), lightness)
    np.testing.assert_array_equal(color.normalize_ab(ab), [-1, 0, 127 / 128])
    np.testing.assert_array_equal(color.denormalize_ab(color.normalize_ab(ab)), ab)


def test_storage_codes():
    np.testing.assert_array_equal(color.quantize_lightness(np.float32([0, 50, 100, 120])), [0, 128, 255, 255])
    np.testing.assert_array_equal(color.quantize_ab(np.float32([-200, -0.6, 0.4, 200])), [-128, -1, 0, 127])
    codes = np.arange(256, dtype=np.uint8)
    np.testing.assert_array_equal(color.quantize_lightness(color.dequantize_lightness(codes)), codes)


@pytest.mark.parametrize("bad", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.uint8(3)])
def test_wrong_channels(bad):
    with pytest.raises(ImageError, match="3 channels"):
        color.srgb_to_lab(bad)


def test_wrong_type():
    with pytest.raises(ImageError, match="int32"):
        color.srgb_to_lab(np.zeros((2, 2, 3), np.int32))


def gray_code(rgb):
    """The gray value, not rounded, that has the luminance of each colour."""
    full_scale = np.iinfo(rgb.dtype).max
    luminance = rgb2xyz(rgb / full_scale)[..., 1]
    return full_scale * np.where(luminance <= 0.0031308, luminance * 12.92, 1.055 * luminance ** (1 / 2.4) - 0.055)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_lightness_is_kept_to_one_value_of_the_depth_whatever_the_colour(dtype):
    grays = np.linspace(0, np.iinfo(dtype).max, 256).astype(dtype)
    angle, chroma = np.meshgrid(np.arange(0, 2 * np.pi, np.pi / 36), [0, 5, 40, 90, 130, 1000])
    ab = np.stack([chroma * np.cos(angle), chroma * np.sin(angle)], axis=-1).reshape(-1, 1, 2)
    lightness = np.broadcast_to(color.gray_to_lightness(grays)[None, :, None], (len(ab), 256, 1))
    lab = np.concatenate([lightness, np.broadcast_to(ab, (len(ab), 256, 2))], axis=-1)
    rgb, _ = color.lab_to_srgb_with_account(lab, dtype)
    assert np.abs(gray_code(rgb) - grays).max() < 1
    np.testing.assert_array_equal(rgb[(chroma == 0).ravel()], np.broadcast_to(grays[None, :, None], (72, 256, 3)))


def test_accounts_of_parts_add_up():
    lab = np.random.default_rng(3).uniform([0, -90, -90], [100, 90, 90], (40, 50, 3))
    _, whole = color.lab_to_srgb_with_account(lab)
    parts = color.lab_to_srgb_with_account(lab[:7])[1] + color.lab_to_srgb_with_account(lab[7:])[1]
    assert (parts.pixels, parts.reduced) == (whole.pixels, whole.reduced)
    assert parts.lost == pytest.approx(whole.lost)
    chroma = np.hypot(*np.moveaxis(color.map_to_gamut(lab)[..., 1:], -1, 0))
    lost = (np.hypot(lab[..., 1], lab[..., 2]) - chroma).mean()
    assert lost < whole.mean_chroma_lost < 1.05 * lost  # keeping L to one value costs a little more


def test_the_account_of_infinite_and_missing_colours_is_finite():
    rgb, account = color.lab_to_srgb_with_account([[50, np.inf, 0], [50, np.nan, np.nan], [50, 0, 0]])
    assert account.reduced == 1
    assert 90 < account.lost < 110
    assert rgb[1:].tolist() == [[119, 119, 119]] * 2
