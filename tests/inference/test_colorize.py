import cv2
import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from made_medical import make_dicom
from skimage import color
from skimage import data
from skimage import transform

import densecolor
from densecolor import models
from densecolor.color import GamutAccount
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import Picture
from densecolor.image_io import read_image
from densecolor.inference import colorize
from densecolor.inference import colorize_files
from densecolor.inference import colorize_with_account
from densecolor.inference import picture as inference_picture
from densecolor.inference.picture import working_shape
from densecolor.inference.upsampling import Upsampler

RGB = data.astronaut()[20:120, 170:301].copy()  # 100 x 131
GRAY = RGB[..., 1].copy()


def constant_model(a=0.0, b=0.0, name="constant"):
    """Predicts the same a and b everywhere."""
    lightness = keras.Input((None, None, 1), name="lightness")
    initializer = keras.initializers.Constant([a / 128, b / 128])
    ab = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", bias_initializer=initializer, name="ab")(lightness)
    return keras.Model({"lightness": lightness}, {"ab": ab}, name=name)


def proportional_model():
    """Predicts a = 0.2 L - 10 and b = 10 - 0.2 L."""
    lightness = keras.Input((None, None, 1), name="lightness")
    ab = keras.layers.Conv2D(2, 1, use_bias=False, name="ab")(lightness)
    model = keras.Model({"lightness": lightness}, {"ab": ab})
    model.get_layer("ab").set_weights([np.array([10 / 128, -10 / 128]).reshape(1, 1, 1, 2)])
    return model


@pytest.fixture(scope="module")
def neutral():
    return constant_model()


def test_neutral_colour_gives_every_gray_value_back(neutral):
    for values in (np.arange(256, dtype=np.uint8).reshape(16, 16), np.arange(65536, dtype=np.uint16).reshape(256, 256)):
        colored = colorize(values, neutral)
        assert colored.dtype == values.dtype
        np.testing.assert_array_equal(colored, np.dstack([values] * 3))


def test_constant_colour_by_scikit_image():
    colored = colorize(GRAY, constant_model(12, -8))
    lab = color.rgb2lab(np.dstack([GRAY] * 3))
    lab[..., 1:] = 12, -8
    reference = color.lab2rgb(lab)
    inside = (np.abs(color.rgb2lab(reference) - lab) < 0.5).all(-1)  # elsewhere chroma is reduced on purpose
    assert inside.mean() > 0.9
    np.testing.assert_allclose(colored[inside] / 255, reference[inside], atol=1.6 / 255)


@pytest.mark.parametrize("ab", [(15, 20), (90, -100), (400, 0)])
def test_lightness_is_kept(ab):
    colored = colorize(GRAY, constant_model(*ab))
    wanted = color.rgb2lab(np.dstack([GRAY] * 3))[..., 0]
    # An 8-bit step is up to 0.6 of L in dark grays; three channels are rounded.
    assert np.abs(color.rgb2lab(colored)[..., 0] - wanted).max() < 0.7


def test_lightness_is_kept_more_finely_at_sixteen_bits():
    values = np.linspace(0, 65535, 3000).astype(np.uint16).reshape(50, 60)
    colored = colorize(values, constant_model(15, 20))
    assert colored.dtype == np.uint16
    wanted = color.rgb2lab(np.dstack([values / 65535] * 3))[..., 0]
    inside = (colored > 0).all(-1) & (colored < 65535).all(-1)
    assert np.abs(color.rgb2lab(colored / 65535)[..., 0] - wanted)[inside].max() < 0.05


def test_colours_of_a_colour_picture_are_ignored():
    model = constant_model(10, 10)
    recolored = (RGB // 2 + np.uint8([60, 20, 40])).astype(np.uint8)
    lightness = color.rgb2lab(recolored)[..., 0]
    colored = color.rgb2lab(colorize(recolored, model))
    assert np.abs(colored[..., 0] - lightness).max() < 0.7
    assert np.abs(np.median(colored[..., 1:], axis=(0, 1)) - 10).max() < 1


def test_colour_is_predicted_small_and_brought_back_smoothly():
    colored = color.rgb2lab(colorize(GRAY, proportional_model(), working_size=32, upsampling="bilinear"))
    lightness = color.rgb2lab(np.dstack([GRAY] * 3))[..., 0]
    small = transform.resize(lightness, working_shape(*GRAY.shape, 32), anti_aliasing=True)
    reference = transform.resize(small, GRAY.shape, order=1)
    assert np.abs(colored[..., 0] - lightness).max() < 0.7
    difference = np.abs(colored[..., 1] - (0.2 * reference - 10))
    assert np.quantile(difference, 0.95) < 2


def test_colour_stays_where_it_belongs():
    values = np.full((90, 120), 60, np.uint8)
    values[:45, 60:] = 190
    colored = color.rgb2lab(colorize(values, proportional_model(), working_size=40))
    bright, dark = color.rgb2lab(np.uint8([[[190] * 3, [60] * 3]]))[0, :, 0]
    for rows, columns, lightness in (
        (slice(0, 35), slice(70, 120), bright),
        (slice(0, 35), slice(0, 50), dark),
        (slice(55, 90), slice(70, 120), dark),
    ):
        np.testing.assert_allclose(colored[rows, columns, 1], 0.2 * lightness - 10, atol=1)


def test_guided_colour_follows_the_full_size_edges():
    """A disc on a ground: where colour depends on lightness, its edge is the picture's, not the small one's."""
    rows, columns = np.mgrid[:120, :150]
    values = np.where((rows - 60) ** 2 + (columns - 75) ** 2 < 40**2, 170, 80).astype(np.uint8)
    wanted = 0.2 * color.rgb2lab(np.dstack([values] * 3))[..., 0] - 10
    errors = {}
    for upsampling in ("guided", "bilinear"):
        colored = colorize(values, proportional_model(), working_size=24, upsampling=upsampling)
        errors[upsampling] = np.abs(color.rgb2lab(colored)[..., 1] - wanted).mean()
    assert errors["guided"] < 0.7 * errors["bilinear"]


def test_cubic_enlargement_by_opencv():
    """Where L is flat there is nothing to follow, and ab is enlarged bicubically, as OpenCV does it."""
    ab = np.random.default_rng(5).normal(0, 30, (9, 11, 2)).astype(np.float32)
    upsampler = Upsampler(ab, np.full((9, 11), 50, np.float32), 70, 83, "guided")
    rows = [
        upsampler.rows(start, min(start + 13, 70), np.full((min(13, 70 - start), 83), 50, np.float32))
        for start in range(0, 70, 13)
    ]
    np.testing.assert_allclose(np.concatenate(rows), cv2.resize(ab, (83, 70), interpolation=cv2.INTER_CUBIC), atol=1e-3)


@pytest.mark.parametrize("upsampling", ["guided", "bilinear"])
def test_bands_make_no_difference(monkeypatch, upsampling):
    model = proportional_model()
    whole = colorize(GRAY, model, working_size=32, upsampling=upsampling)
    monkeypatch.setattr(inference_picture, "BAND_PIXELS", 7 * GRAY.shape[1])
    np.testing.assert_array_equal(colorize(GRAY, model, working_size=32, upsampling=upsampling), whole)


def test_the_account_of_the_gamut():
    values = np.full((40, 50), 119, np.uint8)  # L = 50
    values[:10] = 255
    colored = colorize_with_account(values, constant_model(60, 0))
    assert colored.gamut.pixels == 2000
    assert colored.gamut.reduced_share == 0.25  # white, which has no colour
    assert colored.gamut.mean_chroma_lost == pytest.approx(15, abs=0.1)
    assert colorize_with_account(values, constant_model(120, 0)).gamut.reduced_share == 1
    assert colorize_with_account(values, constant_model(0, 0)).gamut == GamutAccount(2000)


def test_a_colour_picture_may_become_its_own_result():
    model = constant_model(10, -20)
    pixels = RGB.copy()
    wanted = colorize(pixels, model)
    np.testing.assert_array_equal(pixels, RGB)
    colored = colorize_with_account(Picture(pixels), model, in_place=True)
    assert colored.rgb is pixels
    np.testing.assert_array_equal(pixels, wanted)
    gray = GRAY.copy()
    colorize_with_account(Picture(gray), model, in_place=True)
    np.testing.assert_array_equal(gray, GRAY)


def test_progress_inside_a_picture(neutral, monkeypatch):
    monkeypatch.setattr(inference_picture, "BAND_PIXELS", 40 * GRAY.shape[1])
    steps = []
    colorize_with_account(GRAY, neutral, progress=lambda *step: steps.append(step))
    assert steps == [(40, 100), (80, 100), (100, 100)]


def test_an_upsampling_that_is_unknown(neutral):
    with pytest.raises(DensecolorError, match=r"Unknown upsampling='nearest'\. Choose from guided, bilinear"):
        colorize(GRAY, neutral, upsampling="nearest")


@pytest.mark.parametrize("shape", [(1, 1), (1, 37), (41, 1), (2, 3), (3, 700), (127, 33)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("level", [0.0, 0.5, 1.0])
def test_tiny_and_odd_sizes_black_and_white(shape, dtype, level):
    value = round(level * np.iinfo(dtype).max)
    colored = colorize(np.full(shape, value, dtype), constant_model(30, -20), working_size=16)
    assert colored.shape == (*shape, 3)
    if level in (0.0, 1.0):  # black and white have no colour
        assert (colored == value).all()


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_alpha_is_kept(neutral, channels, dtype):
    alpha = np.arange(GRAY.size).reshape(GRAY.shape).astype(dtype)
    image = np.dstack([GRAY.astype(dtype)] * (channels - 1) + [alpha])
    colored = colorize(image, neutral)
    assert colored.shape == (*GRAY.shape, 4)
    np.testing.assert_array_equal(colored[..., 3], alpha)
    np.testing.assert_array_equal(colored, colorize(Picture(GRAY.astype(dtype), alpha), neutral))


@settings(max_examples=200)
@given(height=st.integers(1, 10**6), width=st.integers(1, 10**6), size=st.integers(1, 2000))
def test_working_shape_is_bounded(height, width, size):
    small_height, small_width = working_shape(height, width, size)
    assert 1 <= small_height <= height
    assert 1 <= small_width <= width
    assert small_height * small_width <= size**2
    assert max(small_height, small_width) <= 16 * size
    if height * width <= size**2 and max(height, width) <= 16 * size:
        assert (small_height, small_width) == (height, width)


@given(height=st.integers(200, 5000), width=st.integers(200, 5000))
def test_working_shape_keeps_proportions(height, width):
    small_height, small_width = working_shape(height, width, 200)
    assert small_height * small_width > 0.97 * 200**2
    assert small_height / small_width == pytest.approx(height / width, rel=0.03)


def test_the_models_own_working_size_is_the_default():
    model = proportional_model()
    model.working_size = 24
    noise = np.random.default_rng(0).integers(0, 256, (60, 70)).astype(np.uint8)
    np.testing.assert_array_equal(colorize(noise, model), colorize(noise, model, working_size=24))
    assert (colorize(noise, model) != colorize(noise, model, working_size=48)).any()


def test_a_real_model_takes_pictures_of_any_size_one_after_another():
    model = models.create("dense_tiny", num_classes=3)
    for shape in ((40, 56), (33, 47), (56, 40), (1, 9), (300, 260)):
        assert densecolor.colorize(np.full(shape, 120, np.uint8), model).shape == (*shape, 3)


def test_a_dicom_file_becomes_a_picture_of_sixteen_bits(neutral, tmp_path):
    values = np.arange(40 * 50).reshape(40, 50).astype(np.uint16)
    (tmp_path / "slice.dcm").write_bytes(make_dicom(values))
    (result,) = colorize_files(tmp_path / "slice.dcm", tmp_path / "slice.png", neutral)
    assert result.error is None
    assert result.output.suffix == ".png"
    stored = cv2.imread(str(result.output), cv2.IMREAD_UNCHANGED)
    assert stored.dtype == np.uint16
    assert stored.shape == (40, 50, 3)
    np.testing.assert_array_equal(stored[..., 1], read_image(tmp_path / "slice.dcm").pixels)
    assert (stored == stored[..., :1]).all()


@pytest.mark.parametrize("native", [False, True])
@pytest.mark.parametrize("shape", [(1, 70_000), (70_000, 1)])
def test_a_line_longer_than_opencv_counts(neutral, shape, native):
    values = (np.arange(70_000) % 256).astype(np.uint8).reshape(shape)
    np.testing.assert_array_equal(colorize(values, neutral, native=native), np.dstack([values] * 3))


def test_a_model_by_its_path(tmp_path):
    model = models.create("dense_tiny", num_classes=0)
    densecolor.save_model(model, tmp_path / "tiny.keras")
    by_path = colorize(GRAY, str(tmp_path / "tiny.keras"), working_size=32)
    np.testing.assert_array_equal(by_path, colorize(GRAY, model, working_size=32))


@pytest.mark.parametrize(
    "image",
    [GRAY.astype(np.float32), np.zeros((3, 4, 5), np.uint8), np.zeros(4, np.uint8), np.zeros((0, 4), np.uint8), "name"],
)
def test_what_is_no_picture(neutral, image):
    with pytest.raises(ImageError, match=r"must be uint8 or uint16.*Received: dtype="):
        colorize(image, neutral)


def test_a_model_that_is_no_colorizer():
    lightness = keras.Input((None, None, 1), name="lightness")
    model = keras.Model({"lightness": lightness}, keras.layers.Conv2D(2, 1)(lightness), name="other")
    with pytest.raises(CheckpointError, match="'other' is no colorizer"):
        colorize(GRAY, model)


def test_a_model_that_takes_another_input():
    size = keras.Input((3,), name="size")
    model = keras.Model({"size": size}, {"ab": keras.layers.Dense(2)(size)}, name="other")
    with pytest.raises(CheckpointError, match="'other' does not take 'lightness': "):
        colorize(GRAY, model)


def test_a_model_that_has_diverged():
    with pytest.raises(CheckpointError, match="'nan' predicts NaN or infinite colours"):
        colorize(GRAY, constant_model(np.nan, 0, name="nan"))


@pytest.mark.parametrize("size", [0, -5])
def test_a_working_size_that_is_none(neutral, size):
    with pytest.raises(DensecolorError, match=f"`working_size` must be at least 1. Received: {size}"):
        colorize(GRAY, neutral, working_size=size)
