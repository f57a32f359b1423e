import keras
import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.color import srgb_to_lab
from densecolor.errors import DensecolorError

TINY = {"filters": (4, 6, 8)}


def convolution(before, after, normalized=True):
    """A 4x4 kernel without bias, and the scale and shift of the BatchNormalization after it."""
    return 16 * before * after + 2 * after * normalized


ENCODER = [(64, 128), (128, 256), (256, 512), (512, 512), (512, 512), (512, 512)]
# Each but the first reads what the one before made, and the skip connection of its size.
DECODER = [(512, 512), *[(512 + 512, 512)] * 3, (512 + 512, 256), (256 + 256, 128), (128 + 128, 64)]


@pytest.mark.parametrize(("colors", "channels", "published"), [("ab", 2, 54_409_858), ("rgb", 3, 54_411_907)])
def test_parameters_of_the_published_network(colors, channels, published):
    counted = convolution(1, 64, normalized=False) + sum(convolution(*pair) for pair in ENCODER)
    counted += convolution(512, 512, normalized=False) + sum(convolution(*pair) for pair in DECODER)
    counted += 16 * (64 + 64) * channels + channels
    assert counted == published
    # All sizes are in proportion to the channels squared, but for the first and last: a quarter of them is counted.
    narrow = models.create("pix2pix", colors=colors, filters=[width // 4 for width in (64, 128, 256, *[512] * 5)])
    assert trainable_parameters(narrow) == quarter(channels)


def quarter(channels):
    pairs = [*ENCODER, *DECODER]
    inside = sum(before * after + 2 * after // 4 for before, after in pairs) + 512 * 512
    return inside + 16 * 16 + 16 * (16 + 16) * channels + channels


@pytest.mark.slow
def test_parameters_of_the_built_network():
    assert trainable_parameters(models.create("pix2pix")) == 54_409_858


def test_the_smallest_size_is_a_single_pixel():
    model = models.create("pix2pix", filters=(3,) * 8)
    inside = keras.Model(model.inputs, [model.get_layer(f"encoder{level}_conv").output for level in (1, 4, 8)])
    shapes = inside({"lightness": pictures(1, 200, 256)})
    assert [tuple(value.shape[1:3]) for value in shapes] == [(128, 128), (16, 16), (1, 1)]


@pytest.mark.parametrize("options", [{}, {"colors": "rgb", "noise_seed": 4}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("pix2pix", TINY | options, tmp_path)


def test_the_tanh_stands_for_110():
    model = models.create("pix2pix", **TINY)
    model.get_layer("output_conv").set_weights([np.zeros((4, 4, 2, 8)), np.array([9, -9])])
    ab = np.array(model(pictures(1, 16, 16))["ab"])
    np.testing.assert_allclose(128 * ab[0, 3, 5], (110, -110), atol=1e-3)


def test_ab_is_that_of_the_predicted_rgb():
    outputs = models.create("pix2pix", **TINY, colors="rgb")(pictures(2, 40, 24))
    rgb, ab = (np.array(outputs[name]) for name in ("rgb", "ab"))
    assert 0 <= rgb.min() <= rgb.max() <= 1
    np.testing.assert_allclose(ab * 128, srgb_to_lab(rgb)[..., 1:], atol=0.1)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"filters": (4,)}, "`filters` must be at least 2 numbers"), ({"colors": "yuv"}, "colors")],
)
def test_mistakes_are_explained(options, message):
    with pytest.raises(DensecolorError, match=message):
        models.create("pix2pix", **options)
