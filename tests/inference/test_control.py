"""More colour, surer colour, other colours."""

import keras
import numpy as np
import pytest
from skimage import color
from skimage import data

from densecolor import models
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import encode_ab
from densecolor.errors import DensecolorError
from densecolor.inference import colorize
from densecolor.inference import controlled
from densecolor.inference.distributions import decode_bins
from densecolor.inference.distributions import decode_hue_chroma

GRAY = data.camera()[::8, ::8].copy()  # 64 x 64
LIGHTNESS = np.float32(GRAY / 127.5 - 1)[None, ..., None]


class Fixed:
    """Predicts one colour everywhere."""

    name = "fixed"
    working_size = 64

    def __init__(self, a, b):
        self.ab = np.float32([a, b]) / 128

    def predict_on_batch(self, inputs):
        return {"ab": np.broadcast_to(self.ab, (*inputs["lightness"].shape[:3], 2))}


@pytest.fixture(scope="module")
def colorful():
    keras.utils.set_random_seed(0)
    return models.create("colorful_small", filters=(4,) * 8)


@pytest.fixture(scope="module")
def hypercolumn():
    keras.utils.set_random_seed(0)
    return models.create("hypercolumn_small", widths=(4,) * 5, head_width=8)


def mean_chroma(rgb):
    return np.hypot(*np.moveaxis(color.rgb2lab(rgb)[..., 1:], -1, 0)).mean()


def test_saturation_scales_chroma_and_keeps_lightness_and_hue():
    plain = color.rgb2lab(colorize(GRAY, Fixed(8, -6)))
    more = color.rgb2lab(colorize(GRAY, Fixed(8, -6), saturation=2))
    middle = (plain[..., 0] > 30) & (plain[..., 0] < 80)  # in the gamut at both
    np.testing.assert_allclose(more[middle][:, 1:].mean(axis=0), [16, -12], atol=0.3)
    assert np.abs(more[..., 0] - plain[..., 0]).max() < 1
    np.testing.assert_array_equal(colorize(GRAY, Fixed(8, -6), saturation=0), np.dstack([GRAY] * 3))


def test_too_much_saturation_stays_in_the_gamut():
    wanted = color.rgb2lab(np.dstack([GRAY] * 3))[..., 0]
    lab = color.rgb2lab(colorize(GRAY, Fixed(60, 40), saturation=10))
    assert np.abs(lab[..., 0] - wanted).max() < 1
    chroma = np.hypot(lab[..., 1], lab[..., 2])
    hue = np.degrees(np.arctan2(lab[..., 2], lab[..., 1]))[chroma > 40]
    assert len(hue) > 100
    assert np.abs(hue - np.degrees(np.arctan2(40, 60))).max() < 6


@pytest.mark.parametrize("name", ["colorful", "hypercolumn"])
def test_a_models_own_temperature_changes_nothing(request, name):
    model = request.getfixturevalue(name)
    own = {"colorful": model.get_config().get("temperature"), "hypercolumn": 1.0}[name]
    expected = model.predict_on_batch({"lightness": LIGHTNESS})["ab"]
    ab = controlled(model, temperature=own).predict_on_batch({"lightness": LIGHTNESS})["ab"]
    np.testing.assert_allclose(ab, expected, atol=2e-5)


def test_temperature_of_bins_against_a_plain_softmax(colorful):
    outputs = colorful.predict_on_batch({"lightness": LIGHTNESS})
    logits = np.log(outputs["ab_distribution"].astype(np.float64)) / 0.1
    weights = np.exp(logits - logits.max(axis=-1, keepdims=True))
    expected = weights @ AB_BINS / weights.sum(axis=-1, keepdims=True) / 128
    ab = controlled(colorful, temperature=0.1).predict_on_batch({"lightness": LIGHTNESS})["ab"]
    # Bilinear enlargement by four: the mean of the four middle pixels of a block is the block's own, inside a slope.
    inner = ab[0, :, :].reshape(16, 4, 16, 4, 2)[:, 1:3, :, 1:3].mean(axis=(1, 3))
    np.testing.assert_allclose(inner[2:-2, 2:-2], expected[0, 2:-2, 2:-2], atol=0.02)


def test_lower_temperatures_are_more_vivid():
    two = encode_ab([60.0, 40.0]) * 0.6 + encode_ab([-60.0, 20.0]) * 0.4
    bins = {"ab_distribution": np.broadcast_to(two, (1, 4, 4, 313)).astype(np.float32)}
    histograms = np.full((2, 32), 0.01, np.float32)
    histograms[0, [0, 12]] += 0.5, 0.3  # red, or else green
    histograms[1, [2, 20]] += 0.2, 0.5
    histograms = np.broadcast_to(histograms / histograms.sum(axis=-1, keepdims=True), (1, 16, 16, 2, 32))
    lightness = np.zeros((1, 16, 16, 1), np.float32)
    for decode, outputs in ((decode_bins, bins), (decode_hue_chroma, {"hue_chroma_distribution": histograms})):
        chroma = [np.hypot(*decode(outputs, lightness, each)[0, 8, 8] * 128) for each in (1.0, 0.4, 0.1)]
        assert chroma[0] + 1 < chroma[1] < chroma[2]


def distributions(*colors):
    """One picture whose left half hesitates between colours and whose right half is sure of the first."""
    unsure = np.mean([encode_ab(each) for each in colors], axis=0)
    sure = encode_ab(colors[0])
    left, right = (np.broadcast_to(each, (1, 8, 4, 313)) for each in (unsure, sure))
    return {"ab_distribution": np.concatenate([left, right], axis=2).astype(np.float32)}


def test_samples_differ_where_the_model_hesitates_and_agree_where_it_is_sure():
    outputs = distributions([50.0, 30.0], [-50.0, 40.0], [0.0, -50.0])
    lightness = np.zeros((1, 32, 32, 1), np.float32)
    drawn = np.stack(
        [decode_bins(outputs, lightness, 0.38, np.random.default_rng(seed))[0] * 128 for seed in range(40)]
    )
    assert drawn.shape == (40, 32, 32, 2)
    left, right = drawn[:, :, :12], drawn[:, :, 20:]
    assert np.abs(left - left[:, :1, :1]).max() < 1e-3  # each hangs together
    choices = left[:, 0, 0]
    for wanted in ([50, 30], [-50, 40], [0, -50]):
        assert (np.hypot(*(choices - wanted).T) < 20).sum() >= 4
    assert np.hypot(*(right[:, 0, 0] - [50, 30]).T).max() < 12


@pytest.mark.parametrize("name", ["colorful", "hypercolumn"])
def test_samples_of_models(request, name):
    model = request.getfixturevalue(name)
    first, again, second = (colorize(GRAY, model, sample=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != second).mean() > 0.1


def test_samples_of_a_model_with_noise():
    class Diverse(Fixed):
        def sample(self, seed):
            return Fixed(seed, 0)

    model = Diverse(0, 0)
    np.testing.assert_array_equal(colorize(GRAY, model, sample=20), colorize(GRAY, Fixed(20, 0)))
    assert mean_chroma(colorize(GRAY, model, sample=20, saturation=0.5)) == pytest.approx(
        mean_chroma(colorize(GRAY, Fixed(10, 0))), rel=0.05
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"saturation": -0.1}, r"`saturation` must be in \[0, 10\]. Received: -0.1"),
        ({"saturation": float("nan")}, "`saturation` must be"),
        ({"saturation": float("inf")}, "`saturation` must be"),
        (
            {"temperature": 0.5},
            "'fixed' predicts colours, not distributions .* colorful and hypercolumn have one",
        ),
        ({"temperature": 0.0}, "`temperature` must be above 0"),
        ({"temperature": 1.5}, "`temperature` must be above 0"),
        ({"sample": 0}, "Model 'fixed' has one colouring .* a preset of colorgan, resunet, colorful or hypercolumn"),
        ({"sample": -1}, "`sample`"),
    ],
)
def test_what_cannot_be_asked(options, message):
    with pytest.raises(DensecolorError, match=message):
        controlled(Fixed(0, 0), **options)


def test_samples_of_colorgan():
    keras.utils.set_random_seed(0)
    model = models.create("colorgan_small")
    first, again, second = (colorize(GRAY, model, sample=seed) for seed in (1, 1, 2))
    assert np.abs(first.astype(int) - again).max() <= 1
    assert np.abs(first.astype(int) - second).max() > 2


def test_the_default_model_has_temperature_and_samples():
    mean, likeliest = (colorize(GRAY, temperature=each) for each in (1.0, 0.2))
    assert np.abs(mean.astype(int) - likeliest).max() > 5
    assert (colorize(GRAY, sample=1) != colorize(GRAY, sample=2)).mean() > 0.1


@pytest.mark.parametrize("native", [False, True])
def test_saturation_with_and_without_tiles(native):
    keras.utils.set_random_seed(0)
    model = models.create("resunet", filters=(4, 4), head_filters=4)
    np.testing.assert_array_equal(colorize(GRAY, model, native=native, saturation=0), np.dstack([GRAY] * 3))


def test_distributions_that_tiles_do_not_have():
    model = models.create("resunet", filters=(4, 4), head_filters=4)
    with pytest.raises(DensecolorError, match="cannot be had with `native`"):
        colorize(GRAY, model, native=True, temperature=0.5)
