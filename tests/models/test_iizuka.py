import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import train_briefly
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.errors import DensecolorError
from densecolor.losses import ColorMSE

TINY = {"num_classes": 3, "global_size": 32, "width": 0.05}

LOW = [(1, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 512)]
GLOBAL = [(512, 512)] * 4
UNITS = [(7 * 7 * 512, 1024), (1024, 512), (512, 256)]
MID = [(512, 512), (512, 256)]
COLOR = [(256, 128), (128, 64), (64, 64), (64, 32), (32, 2)]
PARTS = {
    "low": (2_287_488, sum((9 * before + 1) * after for before, after in LOW)),
    "global": (
        35_786_496,
        sum((9 * before + 1) * after for before, after in GLOBAL)
        + sum((before + 1) * after for before, after in UNITS),
    ),
    "mid": (3_539_712, sum((9 * before + 1) * after for before, after in MID)),
    "fusion": (131_328, (256 + 256 + 1) * 256),
    "color": (424_802, sum((9 * before + 1) * after for before, after in COLOR)),
    "class": (184_013, (512 + 1) * 256 + (256 + 1) * 205),
}
PREFIXES = {"decoder": "color", "output": "color", "label": "class"}


def test_parameters_of_the_published_table():
    assert all(listed == counted for listed, counted in PARTS.values())
    assert sum(counted for _, counted in PARTS.values()) == 42_353_839
    model = models.create("iizuka")
    counts, normalisations = dict.fromkeys(PARTS, 0), 0
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            normalisations += trainable_parameters(layer)
        elif layer.weights:
            prefix = layer.name.split("_")[0].rstrip("0123456789")
            counts[PREFIXES.get(prefix, prefix)] += layer.count_params()
    assert counts == {name: counted for name, (_, counted) in PARTS.items()}
    hidden = [after for part in (LOW, GLOBAL, UNITS, MID, [(512, 256)], COLOR[:-1]) for _, after in part]
    assert normalisations == 2 * sum(hidden) == 12_992


def test_without_normalisation():
    model = models.create("iizuka", **TINY, batchnorm=False)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    assert trainable_parameters(model) == model.count_params()


def test_sizes_inside_are_those_of_the_paper():
    model = models.create("iizuka", **(TINY | {"global_size": 224}))
    inside = [model.get_layer(name).output for name in ("global4_relu", "mid2_relu", "output_conv")]
    shapes = keras.Model(model.inputs, inside)({"lightness": pictures(1, 256, 192)})
    assert [shape.shape[1:3] for shape in shapes] == [(7, 7), (32, 24), (128, 96)]


def test_both_streams_have_the_same_low_level_weights():
    model = models.create("iizuka", **TINY)
    convolutions = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    assert sum(name.startswith("low") for name in convolutions) == 6
    before = {name: np.array(value) for name, value in model(pictures(1, 32, 32)).items()}
    model.get_layer("low1_conv").kernel.assign(-model.get_layer("low1_conv").kernel)
    after = model(pictures(1, 32, 32))
    # The label depends on the global stream alone.
    assert not np.allclose(after["label"], before["label"])
    assert not np.allclose(after["ab"], before["ab"], atol=1e-7)


def test_colorizer_contract(tmp_path):
    check_colorizer("iizuka", TINY, tmp_path)


def test_options_work_without_classes():
    model = models.create("iizuka", **(TINY | {"num_classes": 0, "upsampling": "subpixel", "batchnorm": False}))
    assert model.output_names == ["ab"]
    assert model(pictures(1, 97, 131))["ab"].shape == (1, 97, 131, 2)


@pytest.mark.parametrize(("options", "scale"), [({}, 110), ({"ab_scale": 100.0}, 100)])
def test_the_sigmoid_stands_for_the_range_of_ab(options, scale):
    model = models.create("iizuka", **TINY, **options)
    model.get_layer("output_conv").bias.assign([100, -100])
    np.testing.assert_allclose(model(pictures(1, 4, 4))["ab"][0, 0, 0] * 128, [scale, -scale], rtol=1e-5)
    model.get_layer("output_conv").bias.assign([np.log(3), 0])  # sigmoid 0.75 and 0.5
    model.get_layer("output_conv").kernel.assign(np.zeros(model.get_layer("output_conv").kernel.shape))
    np.testing.assert_allclose(model(pictures(1, 4, 4))["ab"][0, 0, 0] * 128, [scale / 2, 0], atol=1e-4)


def test_comparing_at_full_size_has_the_gradient_of_comparing_squares_at_half_the_size():
    """As the docstring says; worked out here with the derivatives of both means of squares."""
    random = np.random.default_rng(0)
    true, small = random.normal(size=(2, 8, 6, 2)), random.normal(size=(2, 4, 3, 2))
    enlarged = small.repeat(2, axis=1).repeat(2, axis=2)
    squares = true.reshape(2, 4, 2, 3, 2, 2)
    at_full_size = float(ColorMSE()(true, enlarged))
    at_half_size = np.square(small - squares.mean(axis=(2, 4))).mean()
    assert at_full_size == pytest.approx(at_half_size + squares.var(axis=(2, 4)).mean(), rel=1e-5)


def test_synchronized_normalisation_reaches_every_layer():
    for wanted in (False, True):
        model = models.create("iizuka", **TINY, sync_batchnorm=wanted)
        layers = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert len(layers) == 20
        assert {layer.synchronized for layer in layers} == {wanted}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"global_size": 0}, "`global_size` must be positive"), ({"upsampling": "cubic"}, "Unknown upsampling='cubic'")],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.IizukaColorizer(**options)


def test_a_short_training_on_photographs_lowers_the_loss(packed):
    train_briefly("iizuka_small", packed, {"global_size": 32, "width": 0.125, "num_classes": 3})
