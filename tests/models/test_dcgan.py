import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import trainable_parameters

from densecolor import models
from densecolor.dataset import load
from densecolor.errors import DensecolorError

TINY = {"filters": (4, 4, 6, 8)}


def counted(filters):
    """4x4 convolutions with bias, each with the scale and shift of a BatchNormalization; the 1x1 one at the end."""
    down = list(zip((1, *filters), filters, strict=False))
    up, before = [], filters[-1]
    for width in reversed(filters[:-1]):
        up.append((before, width))
        before = 2 * width
    return sum(16 * before * after + 3 * after for before, after in down + up) + (before + 1) * 3


@pytest.mark.parametrize(("name", "published"), [("dcgan", 42_023_811), ("dcgan_cifar", 16_654_851)])
def test_parameters_of_the_published_networks(name, published):
    filters = models.model_options(name)["filters"]
    assert counted(filters) == published
    narrow = [width // 8 for width in filters]
    assert trainable_parameters(models.create(name, filters=narrow)) == counted(narrow)


@pytest.mark.slow
def test_parameters_of_the_built_network():
    assert trainable_parameters(models.create("dcgan")) == 42_023_811


@pytest.mark.parametrize("options", [{}, {"dropped": 1}])
def test_colorizer_contract(options, tmp_path):
    check_colorizer("dcgan", TINY | options, tmp_path)


def test_lab_is_lightness_and_ab():
    outputs = models.create("dcgan", **TINY)(pictures(2, 40, 24))
    np.testing.assert_array_equal(outputs["lab"][..., 1:], outputs["ab"])


def test_its_target_is_the_picture(packed):
    inputs, targets, weights = next(iter(load(packed, "train", batch_size=2, targets=("ab", "lab"))))
    np.testing.assert_array_equal(targets["lab"], np.concatenate([inputs["lightness"], targets["ab"]], axis=-1))
    np.testing.assert_array_equal(weights["lab"], weights["ab"])


def test_too_few_filters_are_explained():
    with pytest.raises(DensecolorError, match="`filters` must be at least 2 numbers"):
        models.create("dcgan", filters=(4,))
