import numpy as np
import pytest
import skimage.color

from densecolor.color import srgb_to_lab
from densecolor.errors import ImageError
from densecolor.metrics import ciede2000
from densecolor.metrics import delta_e76

# Pairs from the supplementary test data of Sharma, Wu and Dalal (2005): blues, hues to both sides of 0, grays.
SHARMA = [
    ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
    ((50.0, 3.1571, -77.2803), (50.0, 0.0, -82.7485), 2.8615),
    ((50.0, 2.8361, -74.0200), (50.0, 0.0, -82.7485), 3.4412),
    ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0000),
    ((50.0, 0.0, 0.0), (50.0, -1.0, 2.0), 2.3669),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0009), 7.1792),
    ((50.0, 2.4900, -0.0010), (50.0, -2.4900, 0.0011), 7.2195),
    ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
    ((50.0, 2.5, 0.0), (50.0, 3.2592, 0.3350), 1.0000),
    ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
]


@pytest.fixture(scope="module")
def labs(photographs):
    """A photograph in Lab, and a duller, greener one."""
    lab = srgb_to_lab(photographs["coffee.png"][:150, 200:380])
    return lab, lab * np.float32([0.95, 0.6, 0.8]) + np.float32([1, -5, 2])


@pytest.mark.parametrize(("one", "other", "expected"), SHARMA)
def test_ciede2000_has_the_published_values(one, other, expected):
    assert ciede2000([one], [other]) == pytest.approx(expected, abs=2e-4)
    assert ciede2000([other], [one]) == pytest.approx(expected, abs=2e-4)


def test_differences_of_a_photograph_are_scikit_images(labs):
    lab, other = labs
    precise = lab.astype(np.float64), other.astype(np.float64)
    assert delta_e76(lab, other) == pytest.approx(skimage.color.deltaE_cie76(*precise).mean(), abs=1e-5)
    assert ciede2000(lab, other) == pytest.approx(skimage.color.deltaE_ciede2000(*precise).mean(), abs=1e-3)


def test_unrelated_colours_differ_as_scikit_image_says():
    random = np.random.default_rng(0)
    low, high = (0, -110, -110), (100, 110, 110)
    one, other = random.uniform(low, high, (2, 5000, 3)).astype(np.float32)
    expected = skimage.color.deltaE_ciede2000(one.astype(float), other.astype(float)).mean()
    assert ciede2000(one, other) == pytest.approx(expected, abs=1e-3)


def test_equal_pictures_do_not_differ(labs):
    assert delta_e76(labs[0], labs[0]) == ciede2000(labs[0], labs[0]) == 0


@pytest.mark.parametrize("metric", [delta_e76, ciede2000])
@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (np.zeros((3, 4, 3)), r"lab_pred.shape=\(3, 4, 3\)"),
        (np.zeros((4, 4, 2)), r"lab_pred.shape=\(4, 4, 2\)"),
        (np.full((4, 4, 3), np.nan), "NaN"),
    ],
)
def test_what_cannot_be_compared_is_refused(metric, other, complaint):
    with pytest.raises(ImageError, match=complaint):
        metric(np.zeros((4, 4, 3)), other)
