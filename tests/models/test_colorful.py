import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures

from densecolor import models
from densecolor.color import denormalize_ab
from densecolor.color import normalize_ab
from densecolor.color import normalize_lightness
from densecolor.color import srgb_to_lab
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import encode_ab
from densecolor.errors import DensecolorError
from densecolor.losses import default_losses

TINY = {"filters": (4, 4, 6, 6, 6, 6, 6, 4)}


def test_colorizer_contract(tmp_path):
    check_colorizer("colorful", TINY, tmp_path)


def test_parameters_of_the_paper_network():
    """Block by block from the published table; convolutions have biases, a norm two trained values a channel."""
    blocks = {
        1: (9 * 1 + 1) * 64 + (9 * 64 + 1) * 64,
        2: (9 * 64 + 1) * 128 + (9 * 128 + 1) * 128,
        3: (9 * 128 + 1) * 256 + 2 * (9 * 256 + 1) * 256,
        4: (9 * 256 + 1) * 512 + 2 * (9 * 512 + 1) * 512,
        **dict.fromkeys((5, 6, 7), 3 * (9 * 512 + 1) * 512),
        8: (16 * 512 + 1) * 256 + 2 * (9 * 256 + 1) * 256 + (256 + 1) * 313,
    }
    norms = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512, 6: 512, 7: 512, 8: 0}
    assert sum(blocks.values()) == 32_230_393
    assert 2 * sum(norms.values()) == 4_992
    model = models.create("colorful")
    for number, expected in blocks.items():
        layers = [layer for layer in model.layers if layer.name.startswith(f"conv{number}_")]
        trained = sum(variable.value.numpy().size for layer in layers for variable in layer.trainable_variables)
        assert trained == expected + 2 * norms[number]
    assert model.count_params() == 32_230_393 + 2 * 4_992 + 313 * 2  # with moving statistics and the fixed bins


def test_layers_of_the_paper_network():
    """Kernel / stride / dilation of every convolution, as published."""
    published = {1: "3/1/1 3/2/1", 2: "3/1/1 3/2/1", 3: "3/1/1 3/1/1 3/2/1", 4: "3/1/1 3/1/1 3/1/1"}
    published |= {5: "3/1/2 3/1/2 3/1/2", 6: "3/1/2 3/1/2 3/1/2", 7: "3/1/1 3/1/1 3/1/1", 8: "4/2/1 3/1/1 3/1/1 1/1/1"}
    model = models.ColorfulColorizer(**TINY)
    for number, expected in published.items():
        layers = [
            layer
            for layer in model.layers
            if layer.name.startswith(f"conv{number}_") and not layer.name.endswith("pad")
        ]
        if number < 8:
            assert isinstance(layers.pop(), keras.layers.BatchNormalization)
        settings = [(layer.kernel_size[0], layer.strides[0], layer.dilation_rate[0]) for layer in layers]
        assert " ".join("{}/{}/{}".format(*setting) for setting in settings) == expected


def test_ab_is_the_annealed_mean_of_the_distribution():
    for temperature in (1.0, 0.38, 0.1):
        model = models.ColorfulColorizer(**TINY, temperature=temperature)
        model.get_layer("conv8_4").kernel.assign(np.random.default_rng(0).normal(0, 3, (1, 1, 4, 313)))
        outputs = model(pictures(2, 16, 24))
        probabilities = outputs["ab_distribution"].numpy().astype(np.float64)
        np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-5)
        sharpened = np.exp(np.log(probabilities) / temperature)
        expected = sharpened @ AB_BINS / sharpened.sum(axis=-1, keepdims=True)
        decoded = keras.Model(model.input, model.get_layer("decode").output)({"lightness": pictures(2, 16, 24)})
        np.testing.assert_allclose(denormalize_ab(decoded.numpy()), expected, atol=1e-2)
        # The enlarged map has each pixel's own colour nowhere exactly, but stays between those of its neighbours.
        enlarged = denormalize_ab(outputs["ab"].numpy())
        assert enlarged.max() <= expected.max() + 1e-2
        assert enlarged.min() >= expected.min() - 1e-2
        np.testing.assert_allclose(enlarged.mean(axis=(1, 2)), expected.mean(axis=(1, 2)), atol=5)


def test_a_certain_distribution_gives_its_colour():
    model = models.ColorfulColorizer(**TINY)
    head = model.get_layer("conv8_4")
    head.kernel.assign(keras.ops.zeros_like(head.kernel))
    head.bias.assign(100 * encode_ab(AB_BINS[200], neighbours=1))
    ab = denormalize_ab(model(pictures(1, 9, 10))["ab"].numpy())
    np.testing.assert_allclose(ab, np.broadcast_to(AB_BINS[200], ab.shape), atol=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": (8, 8)}, "`filters` must be 8 numbers"),
        ({"temperature": 0}, "`temperature` must be above 0"),
        ({"temperature": 1.5}, "at most 1. Received: 1.5"),
    ],
)
def test_impossible_options_are_refused(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.ColorfulColorizer(**options)


def test_synchronized_normalisation_reaches_every_layer():
    model = models.ColorfulColorizer(**TINY, sync_batchnorm=True)
    norms = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert [layer.synchronized for layer in norms] == [True] * 7


def test_a_short_training_on_photographs_lowers_the_loss(crops):
    keras.utils.set_random_seed(0)
    model = models.create("colorful_small")
    lab = srgb_to_lab(crops)
    ab = normalize_ab(lab[..., 1:])
    prior = encode_ab(lab[:, ::4, ::4, 1:]).mean(axis=(0, 1, 2))
    model.compile(keras.optimizers.Adam(2e-3), default_losses(model.output_names, ab_prior=prior), jit_compile=False)
    lightness = normalize_lightness(lab[..., :1])
    targets = {"ab": ab, "ab_distribution": ab}
    weights = {"ab": np.ones((30, 1, 1)), "ab_distribution": np.ones((30, 1, 1))}
    history = model.fit(lightness, targets, sample_weight=weights, epochs=10, batch_size=10, verbose=0).history
    assert history["loss"][-1] < 0.7 * history["loss"][0]
    predicted = denormalize_ab(model.predict(lightness, verbose=0)["ab"])
    assert np.hypot(predicted[..., 0], predicted[..., 1]).mean() > 5
