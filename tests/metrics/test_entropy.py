import hypothesis
import hypothesis.extra.numpy
import numpy as np
import pytest
import scipy.stats
from hypothesis import strategies

from densecolor.errors import ImageError
from densecolor.metrics import ab_entropy
from densecolor.metrics import info_loss
from densecolor.metrics import joint_ab_entropy
from densecolor.metrics import joint_info_loss

AB_PICTURES = hypothesis.extra.numpy.arrays(
    np.int8, strategies.tuples(strategies.integers(1, 6), strategies.integers(1, 6), strategies.just(2))
)
LOSSES = [info_loss, joint_info_loss]


def random_ab(seed, spread=30.0, shape=(40, 50, 2)):
    return np.random.default_rng(seed).normal(0, spread, shape)


def test_hand_worked_entropies():
    ab = np.int8([[[0, 10], [1, 10], [2, 10], [3, 20]]])  # a: four values; b: 3/4 and 1/4
    entropy_of_b = -(0.75 * np.log2(0.75) + 0.25 * np.log2(0.25))
    assert ab_entropy(ab) == pytest.approx(2 + entropy_of_b)
    assert joint_ab_entropy(ab) == pytest.approx(2)


def test_entropy_is_scipys_of_the_rounded_values():
    ab = random_ab(0)
    rounded = np.clip(np.rint(ab), -128, 127).astype(int).reshape(-1, 2)
    of_each = [scipy.stats.entropy(np.unique(channel, return_counts=True)[1], base=2) for channel in rounded.T]
    of_pairs = scipy.stats.entropy(np.unique(rounded, axis=0, return_counts=True)[1], base=2)
    assert ab_entropy(ab) == pytest.approx(sum(of_each), abs=1e-9)
    assert joint_ab_entropy(ab) == pytest.approx(of_pairs, abs=1e-9)


def test_info_loss_is_the_difference_of_entropies():
    vivid, pale = random_ab(0), random_ab(1, spread=8)
    assert info_loss(vivid, pale) == pytest.approx(ab_entropy(vivid) - ab_entropy(pale))
    assert joint_info_loss(vivid, pale) == pytest.approx(joint_ab_entropy(vivid) - joint_ab_entropy(pale))


def test_the_most_and_the_least_an_entropy_can_be():
    every_pair_once = np.stack(np.meshgrid(np.arange(-128, 128), np.arange(-128, 128)), axis=-1).astype(np.int8)
    one_colour = np.full((4, 4, 2), -37, np.int8)
    assert ab_entropy(every_pair_once) == joint_ab_entropy(every_pair_once) == 16
    assert ab_entropy(one_colour) == joint_ab_entropy(one_colour) == 0
    assert info_loss(every_pair_once, one_colour) == 16


def test_values_beyond_8_bits_are_clipped_not_wrapped():
    assert ab_entropy(np.float32([[[127, -128], [4000, -4000]]])) == 0


def test_int8_and_the_same_values_as_floats_agree():
    ab = np.rint(np.clip(random_ab(2), -128, 127))
    assert ab_entropy(ab.astype(np.int8)) == ab_entropy(ab.astype(np.float32)) == ab_entropy(ab)


def test_noise_of_the_right_spread_fools_an_entropy():
    assert info_loss(random_ab(0), random_ab(1)) < 0.1


def test_a_view_that_is_not_contiguous_counts_alike():
    ab = np.rint(np.clip(random_ab(3), -128, 127)).astype(np.int8)
    assert joint_ab_entropy(ab[::2, ::-1]) == joint_ab_entropy(ab[::2, ::-1].copy())


@pytest.mark.parametrize("loss", LOSSES)
@hypothesis.given(AB_PICTURES, AB_PICTURES)
def test_losses_are_symmetric_bounded_and_zero_between_equals(loss, one, other):
    assert loss(one, one) == 0
    assert loss(one, other) == loss(other, one)
    assert 0 <= loss(one, other) <= 16


@pytest.mark.parametrize("loss", LOSSES)
@hypothesis.given(AB_PICTURES, AB_PICTURES, strategies.randoms())
def test_losses_do_not_ask_where_the_pixels_lie(loss, truth, prediction, random):
    pixels = prediction.reshape(-1, 1, 2).tolist()
    random.shuffle(pixels)
    assert loss(truth, np.int8(pixels)) == pytest.approx(loss(truth, prediction), abs=1e-12)


@hypothesis.given(AB_PICTURES)
def test_pairs_say_at_most_what_a_and_b_say_apart(ab):
    assert joint_ab_entropy(ab) <= ab_entropy(ab) + 1e-9


@pytest.mark.parametrize(
    ("ab", "complaint"),
    [
        (np.full((4, 4, 2), np.nan), "NaN or infinite"),
        (np.full((4, 4, 2), np.inf, np.float32), "NaN or infinite"),
        (np.zeros((4, 4, 3)), r"shape=\(4, 4, 3\)"),
        (np.zeros((0, 4, 2)), r"shape=\(0, 4, 2\)"),
        (np.zeros((4, 4, 2), np.uint8), "dtype=uint8"),
    ],
)
def test_what_is_no_ab_is_refused(ab, complaint):
    with pytest.raises(ImageError, match=complaint):
        ab_entropy(ab)
