import numpy as np
import pytest
from colorizer_checks import check_colorizer
from colorizer_checks import pictures
from colorizer_checks import to_numpy

from densecolor import models
from densecolor.color.ab_bins import decode_ab
from densecolor.errors import DensecolorError


def test_colorizer_contract(tmp_path):
    check_colorizer("resunet", {"filters": (4, 6, 8), "blocks": 1, "head_filters": 5}, tmp_path)


def test_parameters():
    def block(width):
        return 2 * (9 * width**2 + width)

    down = (9 + 1) * 32 + (9 * 32 + 1) * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 192
    blocks = 2 * (block(64) + block(128) + block(192))
    back = (192 + 1) * 128 + block(128) + (128 + 1) * 64 + block(64)
    head = (9 * 64 + 1) * 64 + (64 + 1) * 313
    model = models.create("resunet")
    bins = 313 * 2
    assert model.count_params() == down + blocks + (192 + 1) * 192 + back + head + bins


def test_temperature_only_decodes():
    warm, cold = (models.create("resunet", filters=(4, 6), temperature=value) for value in (1.0, 0.4))
    random = np.random.default_rng(0)
    warm.set_weights(
        [random.normal(0, 0.4, weight.shape) for weight in warm.get_weights()[:-1]] + warm.get_weights()[-1:]
    )
    cold.set_weights(warm.get_weights())
    outputs, others = to_numpy(warm(pictures(1, 4, 4))), to_numpy(cold(pictures(1, 4, 4)))
    np.testing.assert_array_equal(outputs["ab_distribution"], others["ab_distribution"])
    for temperature, decoded in ((1.0, outputs), (0.4, others)):
        expected = decode_ab(decoded["ab_distribution"], temperature) / 128
        np.testing.assert_allclose(decoded["ab"][:, :1, :1], expected, atol=1e-5)
    assert np.abs(outputs["ab"] - others["ab"]).max() > 0.05


@pytest.mark.parametrize(
    ("options", "words"), [({"filters": (8,)}, "`filters` must be 2"), ({"temperature": 0.0}, "`temperature` must be")]
)
def test_options_out_of_range(options, words):
    with pytest.raises(DensecolorError, match=words):
        models.create("resunet", **options)
