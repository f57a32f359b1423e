import colorsys

import numpy as np
import pytest

from densecolor.metrics import cni


def by_hand(rgb):
    """The index, pixel by pixel with the standard library's HLS."""
    groups = {"skin": [], "grass": [], "sky": []}
    for pixel in rgb.reshape(-1, 3) / 255:
        hue, lightness, saturation = colorsys.rgb_to_hls(*pixel)
        if saturation > 0.1 and 0.2 < lightness < 0.8:
            for name, low, high in (("skin", 25, 70), ("grass", 95, 135), ("sky", 185, 260)):
                if low <= hue * 360 <= high:
                    groups[name].append(saturation)
    parameters = {"skin": (0.76, 0.52), "grass": (0.81, 0.53), "sky": (0.43, 0.22)}
    scores = [
        (len(group), np.exp(-(((np.mean(group) - parameters[name][0]) / parameters[name][1]) ** 2) / 2))
        for name, group in groups.items()
        if group
    ]
    return np.average([score for _, score in scores], weights=[count for count, _ in scores]) if scores else 0


@pytest.mark.parametrize("name", ["coffee.png", "rocket.jpg", "chelsea.png"])
def test_photographs_by_hand(photographs, name):
    small = photographs[name][::9, ::9]
    assert cni(small) == pytest.approx(by_hand(small), abs=2e-3)  # pixels on a group's border may round into it


def test_one_pixel_of_skin():
    saturation = (230 - 80) / (255 - abs(230 + 80 - 255))  # HSL
    assert cni(np.uint8([[[230, 150, 80]]])) == pytest.approx(
        np.exp(-0.5 * ((saturation - 0.76) / 0.52) ** 2), abs=1e-5
    )


def test_what_belongs_to_no_group_scores_nothing():
    assert cni(np.full((4, 4, 3), 120, np.uint8)) == 0
    assert cni(np.uint8([[[200, 0, 150]]])) == 0  # a hue of none of them
    assert cni(np.uint8([[[20, 10, 0]]])) == 0  # too dark
