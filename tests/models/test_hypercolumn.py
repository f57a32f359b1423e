import colorsys

import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer

from densecolor import models
from densecolor.color import gray_to_lightness
from densecolor.color import normalize_ab
from densecolor.color import normalize_lightness
from densecolor.color import srgb_to_lab
from densecolor.color.hue_chroma import lab_to_hue_chroma
from densecolor.errors import DensecolorError
from densecolor.losses import default_losses
from densecolor.models.hypercolumn import HueChromaToAb
from densecolor.models.hypercolumn_head import HypercolumnHead

TINY = {"widths": (3, 4, 4, 5, 6), "fc_width": 7, "head_width": 8}
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("options", [{}, {"fc_width": 0, "samples": 300}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("hypercolumn", TINY | options, tmp_path)


def parameters(fc_width=4096):
    """From the published table; its normalisations train nothing."""
    vgg = 9 * (1 * 64 + 64**2 + 64 * 128 + 128**2 + 128 * 256 + 2 * 256**2 + 256 * 512 + 5 * 512**2)
    vgg += 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512
    channels = 1 + 2 * 64 + 2 * 128 + 3 * 256 + 6 * 512 + 2 * fc_width
    connected = (49 * 512 + 1) * fc_width + (fc_width + 1) * fc_width if fc_width else 0
    return vgg + connected + (channels + 1) * 1024 + 2 * (1024 + 1) * 32


def test_parameters_of_the_light_network():
    assert parameters(0) == 19_106_560
    model = models.create("hypercolumn_light")
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == 19_106_560


@pytest.mark.slow
def test_parameters_of_the_paper_network():
    assert parameters() == 147_041_024
    model = models.create("hypercolumn")
    assert sum(int(np.prod(variable.shape)) for variable in model.trainable_variables) == 147_041_024


def test_the_table_of_the_paper_network_has_the_published_number():
    assert parameters() == 147_041_024


def made_maps(batch=2, height=16, width=24):
    shapes = [(batch, height // factor, width // factor, channels) for factor, channels in ((1, 3), (2, 4), (8, 5))]
    maps = [RANDOM.normal(size=shape).astype(np.float32) for shape in shapes]
    return [*maps, np.zeros((batch, height - 3, width - 1, 1), np.float32)]


def made_head(**options):
    head = HypercolumnHead((1, 2, 8), width=6, **{"dropout": 0.0, **options})
    inputs = made_maps()
    head(inputs)
    for variable in head.trainable_variables:
        variable.assign(RANDOM.normal(size=variable.shape))
    return head, inputs


def test_the_projection_equals_a_hidden_layer_over_the_whole_hypercolumn():
    head, (*maps, picture) = made_head()
    enlarged = [
        keras.ops.image.resize(features, (16, 24), interpolation="bilinear", data_format="channels_last").numpy()
        for features in maps
    ]
    hypercolumn = np.concatenate(enlarged, axis=-1)[:, :13, :23]
    kernel = np.concatenate([kernel.numpy() for kernel in head.kernels])
    hidden = np.maximum(hypercolumn @ kernel + head.bias.numpy(), 0)
    logits = hidden @ head.histograms.kernel.numpy() + head.histograms.bias.numpy()
    exponentials = np.exp(logits.reshape(2, 13, 23, 2, 32))
    expected = exponentials / exponentials.sum(axis=-1, keepdims=True)
    np.testing.assert_allclose(head([*maps, picture]), expected, rtol=1e-3, atol=1e-6)


def test_sampled_pixels_are_those_of_the_dense_map():
    head, inputs = made_head(samples=20)
    dense = head(inputs, training=False).numpy()
    first, second = (head(inputs, training=True).numpy() for _ in range(2))
    for sparse in (first, second):
        sampled = sparse.sum(axis=(-2, -1)) > 0
        assert (sampled.sum(axis=(1, 2)) <= 20).all()
        assert (sampled.sum(axis=(1, 2)) > 10).all()
        np.testing.assert_allclose(sparse[sampled], dense[sampled], rtol=1e-4, atol=1e-6)
    assert (first != second).any()


def decode(histograms, gray):
    lightness = normalize_lightness(gray_to_lightness(np.full((1, 1, 1, 1), gray, np.float32)))
    return 128 * HueChromaToAb()([np.float32(histograms).reshape(1, 1, 1, 2, 32), lightness]).numpy()[0, 0, 0]


def expected_ab(hue, chroma, gray):
    """By way of HSV: the colour of this hue and chroma, moved so that its mean is the gray."""
    rgb = np.array(colorsys.hsv_to_rgb(hue, 1.0, chroma))
    rgb = np.clip(rgb + gray - rgb.mean(), 0, 1)
    return srgb_to_lab(np.float32(rgb))[1:]


@pytest.mark.parametrize(("hue_bin", "chroma_bin"), [(0, 3), (5, 8), (12, 10), (20, 2), (31, 12)])
def test_certain_histograms_give_their_colour(hue_bin, chroma_bin):
    histograms = np.stack([np.eye(32)[hue_bin], np.eye(32)[chroma_bin]])
    expected = expected_ab((hue_bin + 0.5) / 32, (chroma_bin + 0.5) / 32, 0.5)
    np.testing.assert_allclose(decode(histograms, 0.5), expected, atol=0.5)


def test_chroma_is_the_median_and_hue_the_mean_direction():
    hue = RANDOM.dirichlet(np.ones(32) * 0.3) * 0.5 + 0.5 * np.eye(32)[4]
    chroma = RANDOM.dirichlet(np.linspace(3, 0.1, 32))
    vector = (hue * np.exp(2j * np.pi * (np.arange(32) + 0.5) / 32)).sum() / 32
    median = np.interp(0.5, np.concatenate([[0], np.cumsum(chroma)]), np.arange(33) / 32)
    fading = min(abs(vector) / 0.03, 1)
    expected = expected_ab(np.angle(vector) / (2 * np.pi) % 1, median * fading, 0.4)
    np.testing.assert_allclose(decode([hue, chroma], 0.4), expected, atol=0.5)


def test_a_hue_of_all_directions_and_no_histogram_are_gray():
    assert np.abs(decode([np.full(32, 1 / 32), np.eye(32)[20]], 0.5)).max() < 0.1
    assert np.abs(decode(np.zeros((2, 32)), 0.5)).max() < 0.1


def test_hue_and_chroma_are_those_of_hsv(crops):
    rgb = crops[:4, ::5, ::5]
    ours = lab_to_hue_chroma(srgb_to_lab(rgb))
    theirs = np.array([colorsys.rgb_to_hsv(*color) for color in rgb.reshape(-1, 3) / 255]).reshape(*rgb.shape)
    np.testing.assert_allclose(ours[..., 1], theirs[..., 1] * theirs[..., 2], atol=1.5 / 255)
    colored = ours[..., 1] > 0.1
    difference = (ours[..., 0] - theirs[..., 0] + 0.5) % 1 - 0.5
    assert np.abs(difference[colored]).max() < 0.02


def test_impossible_options_are_refused():
    with pytest.raises(DensecolorError, match="`widths` must be 5 numbers"):
        models.HypercolumnColorizer(widths=(4, 4))
    with pytest.raises(DensecolorError, match=r"`samples` must be at least 1\. Received: 0"):
        models.HypercolumnColorizer(samples=0)


def test_a_short_training_on_photographs_lowers_the_loss(crops):
    keras.utils.set_random_seed(0)
    model = models.create("hypercolumn_small")
    lab = srgb_to_lab(crops)
    targets = {"ab": normalize_ab(lab[..., 1:]), "hue_chroma_distribution": lab_to_hue_chroma(lab)}
    weights = {name: np.ones((30, 1, 1)) for name in targets}
    lightness = normalize_lightness(lab[..., :1])
    model.compile(keras.optimizers.Adam(2e-3), default_losses(model.output_names), jit_compile=False)
    history = model.fit(lightness, targets, sample_weight=weights, epochs=10, batch_size=10, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    predicted = 128 * model.predict(lightness, verbose=0)["ab"]
    assert np.hypot(predicted[..., 0], predicted[..., 1]).mean() > 5


def test_predictions_of_black_and_white_are_finite():
    ab = models.create("hypercolumn", **TINY)(np.concatenate([-np.ones((1, 8, 8, 1)), np.ones((1, 8, 8, 1))]))["ab"]
    assert np.isfinite(ab).all()
    assert np.abs(128 * ab.numpy()).max() < 1
