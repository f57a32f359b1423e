import keras
import numpy as np
import pytest
import skimage.color

from densecolor import color
from densecolor.color import ops as color_ops

RANDOM = np.random.default_rng(0)


def to_numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_srgb_to_lab_agrees_with_scikit_image_and_with_numpy():
    rgb = RANDOM.random((16, 16, 3), np.float32)
    rgb[0, :3] = [[0, 0, 0], [1, 1, 1], [0.02, 0, 0.03]]
    lab = to_numpy(color_ops.srgb_to_lab(rgb))
    np.testing.assert_allclose(lab, skimage.color.rgb2lab(rgb), atol=0.03)
    np.testing.assert_allclose(lab, color.srgb_to_lab(rgb), atol=0.03)


def test_lab_to_srgb_inverts_srgb_to_lab():
    rgb = RANDOM.random((2, 16, 16, 3), np.float32)
    np.testing.assert_allclose(to_numpy(color_ops.lab_to_srgb(color_ops.srgb_to_lab(rgb))), rgb, atol=2e-4)


@pytest.mark.parametrize("scale", [20, 128, 1e4, 1e30])
def test_lab_to_srgb_maps_to_the_gamut_as_numpy_does(scale):
    lab = RANDOM.uniform(-1, 1, (32, 32, 3)).astype(np.float32) * np.float32([1, scale, scale])
    lab[..., 0] = RANDOM.uniform(0, 100, (32, 32))
    rgb = to_numpy(color_ops.lab_to_srgb(lab))
    assert rgb.min() >= 0
    assert rgb.max() <= 1
    np.testing.assert_allclose(rgb, color.lab_to_srgb(lab, np.float32), atol=5e-3)


def test_lab_to_srgb_survives_what_is_no_number():
    lab = np.float32([[50, np.inf, 0], [50, np.nan, np.nan], [50, -np.inf, np.inf], [-5, 0, 0], [120, 0, 0]])
    rgb = to_numpy(color_ops.lab_to_srgb(lab))
    np.testing.assert_allclose(rgb, color.lab_to_srgb(lab, np.float32), atol=5e-3)


def test_black_and_white_have_no_color_as_in_numpy():
    rgb = to_numpy(color_ops.lab_to_srgb(np.float32([[0, 0.5, -0.5], [-3, 30, -20], [100, 0.5, -0.5], [120, 30, -20]])))
    np.testing.assert_allclose(rgb, np.repeat([[0], [0], [1], [1]], 3, axis=1), atol=1e-5)


def test_lightness_to_gray_inverts_gray_to_lightness():
    gray = np.linspace(0, 1, 101, dtype=np.float32)
    np.testing.assert_allclose(to_numpy(color_ops.lightness_to_gray(color.gray_to_lightness(gray))), gray, atol=1e-5)


@pytest.mark.parametrize(
    ("convert", "values"),
    [
        (color_ops.srgb_to_lab, [[0, 0, 0], [1, 1, 1], [0, 0, 1], [0.04045, 0.0, 0.5]]),
        (color_ops.lab_to_srgb, [[0, 0, 0], [100, 0, 0], [50, 1e30, -1e30], [50, 300, 0], [8, 1, 1]]),
    ],
)
def test_gradients_are_finite(convert, values):
    tf = pytest.importorskip("tensorflow")
    points = tf.constant(values, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(points)
        total = tf.reduce_sum(convert(points))
    assert np.isfinite(tape.gradient(total, points)).all()


def test_layers_compute_in_float32_under_mixed_precision_and_can_be_saved(tmp_path):
    rgb = keras.Input((None, None, 3))
    lab = color_ops.SRGBToLab(dtype="mixed_bfloat16")(rgb)
    model = keras.Model(rgb, [lab, color_ops.LabToSRGB(dtype="mixed_bfloat16")(lab)])
    model.save(tmp_path / "layers.keras")
    pixels = RANDOM.random((1, 8, 8, 3), np.float32)
    for loaded in (model, keras.saving.load_model(tmp_path / "layers.keras")):
        lab, back = (to_numpy(output) for output in loaded(pixels))
        np.testing.assert_allclose(lab, skimage.color.rgb2lab(pixels), atol=0.03)
        np.testing.assert_allclose(back, pixels, atol=2e-4)
