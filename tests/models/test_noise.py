import numpy as np
import pytest
from colorizer_checks import pictures
from scipy import stats

from densecolor import models
from densecolor.errors import DensecolorError
from densecolor.models.noise import PRIME
from densecolor.models.noise import NoiseDropout
from densecolor.models.noise import hashed_uniform


def worked_by_hand(index, seed):
    """The same arithmetic in Python's own integers, for a map of one axis."""
    state = 1
    for number in (seed % PRIME, seed // PRIME, index % PRIME, index // PRIME, 7919, 2 * 7919, 3 * 7919):
        state = pow((state + number + 1) % PRIME, 3, PRIME)
    return state / PRIME


def test_hashed_numbers_are_the_formulas():
    drawn = np.array(hashed_uniform((50_000,), 2**31 - 1))
    for index in (0, 1, 2, 46_336, 46_337, 49_999):
        assert drawn[index] == pytest.approx(worked_by_hand(index, 2**31 - 1), abs=1e-7)


@pytest.mark.parametrize("seed", [0, 1, 99])
def test_hashed_numbers_look_drawn(seed):
    drawn = np.array(hashed_uniform((64, 64, 3), seed))
    assert stats.kstest(drawn.ravel(), "uniform").pvalue > 1e-3
    for axis in range(3):
        ahead, behind = np.moveaxis(drawn, axis, 0)[1:], np.moveaxis(drawn, axis, 0)[:-1]
        assert abs(np.corrcoef(ahead.ravel(), behind.ravel())[0, 1]) < 0.05
    other = np.array(hashed_uniform((64, 64, 3), seed + 1))
    assert abs(np.corrcoef(drawn.ravel(), other.ravel())[0, 1]) < 0.05


def test_a_place_has_the_same_number_in_maps_of_all_sizes():
    small, large = (np.array(hashed_uniform(shape, 5)) for shape in ((4, 6, 2), (9, 11, 3)))
    np.testing.assert_array_equal(small, large[:4, :6, :2])


def test_dropout_keeps_the_share_and_the_sum():
    x = np.ones((2, 40, 40, 8), np.float32)
    assert np.array(NoiseDropout(0.25)(x)).min() == 1  # outside of training, without a seed
    for dropped in (NoiseDropout(0.25, seed=1)(x), NoiseDropout(0.25)(x, training=True)):
        dropped = np.array(dropped)
        assert set(np.unique(dropped)) == {0, np.float32(1 / 0.75)}
        assert dropped.mean() == pytest.approx(1, abs=0.03)
    first, second = np.array(NoiseDropout(0.25, seed=1)(x))
    np.testing.assert_array_equal(first, second)
    with pytest.raises(DensecolorError, match="`dropout` must be at least 0 and below 1"):
        NoiseDropout(1)


def test_samples_of_a_seed_are_the_same_and_of_others_not():
    model = models.create("pix2pix", filters=(4, 6, 8), dropped=2)
    seen = pictures(2, 40, 24)
    plain, *samples = (m.predict_on_batch(seen)["ab"] for m in (model, *map(model.sample, (0, 1, 0))))
    np.testing.assert_array_equal(samples[0], samples[2])
    for other in (samples[1], plain):
        assert abs(samples[0] - other).mean() > 1e-3 * plain.std()
    for seed in (-1, 2**31):
        with pytest.raises(DensecolorError, match=r"A seed of noise must be at least 0 and below 2\^31"):
            model.sample(seed)
