import numpy as np
import pytest

from densecolor.color import srgb_to_lab
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import decode_ab
from densecolor.color.ab_bins import encode_ab
from densecolor.color.ab_bins import rebalancing_weights
from densecolor.color.ab_bins import smooth_distribution

RANDOM = np.random.default_rng(0)


def test_bins_are_the_corners_of_all_cells_that_srgb_reaches_and_four_more():
    """From all 2^24 colours of sRGB."""
    green, blue = np.meshgrid(np.arange(256), np.arange(256))
    reached = set()
    for red in range(256):
        rgb = np.stack([np.full_like(green, red), green, blue], axis=-1).astype(np.uint8)
        cells = np.floor(srgb_to_lab(rgb)[..., 1:] / 10).astype(int)
        codes = np.unique((cells[..., 0] + 50) * 100 + cells[..., 1] + 50)
        reached.update((code // 100 - 50, code % 100 - 50) for code in codes.tolist())
    corners = {(10 * (a + i), 10 * (b + j)) for a, b in reached for i in (0, 1) for j in (0, 1)}
    bins = {(int(a), int(b)) for a, b in AB_BINS}
    assert len(corners) == 309
    assert len(bins) == len(AB_BINS) == 313
    assert bins - corners == {(40, 90), (100, -90), (100, -10), (100, 0)}
    assert corners < bins


def test_bins_stand_in_the_published_order():
    assert [tuple(row) for row in AB_BINS[:2].tolist()] == [(-90, 50), (-90, 60)]
    assert np.lexsort((AB_BINS[:, 1], AB_BINS[:, 0])).tolist() == list(range(313))


def directly_encoded(ab, neighbours, sigma):
    """One colour, by the formula."""
    distances = [((ab[0] - a) ** 2 + (ab[1] - b) ** 2, index) for index, (a, b) in enumerate(AB_BINS.tolist())]
    chosen = sorted(distances)[:neighbours]
    weights = np.exp([-square / (2 * sigma**2) for square, _ in chosen])
    encoded = np.zeros(313)
    for (_, index), weight in zip(chosen, weights / weights.sum(), strict=True):
        encoded[index] = weight
    return encoded


@pytest.mark.parametrize(("neighbours", "sigma"), [(5, 5.0), (10, 5.0), (1, 3.0)])
def test_encoding_follows_the_formula(neighbours, sigma):
    ab = np.concatenate([RANDOM.uniform(-110, 110, (40, 2)), [[0, 0], [5, 5], [15, -20]]]).round(3)
    encoded = encode_ab(ab.reshape(43, 1, 2), neighbours, sigma)
    assert encoded.dtype == np.float32
    expected = [directly_encoded(color, neighbours, sigma) for color in ab]
    np.testing.assert_allclose(encoded[:, 0], expected, atol=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 0.38, 0.05])
def test_decoding_follows_the_formula(temperature):
    distribution = RANDOM.dirichlet(np.full(313, 0.1), size=(4, 3))
    weights = np.exp(np.log(np.maximum(distribution, 1e-300)) / temperature)
    expected = (weights[..., None] * AB_BINS).sum(axis=-2) / weights.sum(axis=-1)[..., None]
    np.testing.assert_allclose(decode_ab(distribution, temperature), expected, rtol=1e-4, atol=1e-3)


def test_photographs_survive_encoding_and_decoding(photographs):
    for photo in photographs.values():
        ab = srgb_to_lab(photo[::5, ::5])[..., 1:]
        mean, annealed = decode_ab(encode_ab(ab), 1.0), decode_ab(encode_ab(ab))
        assert np.linalg.norm(mean - ab, axis=-1).mean() < 2
        # Sharpening pulls towards the nearest bin, which is at most half a diagonal, 7.1, away inside the grid.
        assert np.linalg.norm(annealed - ab, axis=-1).mean() < 4
        assert np.quantile(np.linalg.norm(annealed - ab, axis=-1), 0.99) < 7.1


def test_smoothing_keeps_the_sum_and_spreads_to_the_neighbours():
    middle = np.flatnonzero((AB_BINS == 0).all(axis=1))[0]
    smooth = smooth_distribution(np.eye(313)[middle])
    assert smooth.sum() == pytest.approx(1)
    beside = np.flatnonzero((AB_BINS == (0, 10)).all(axis=1))[0]
    assert smooth[beside] / smooth[middle] == pytest.approx(np.exp(-2))
    assert smooth_distribution(RANDOM.dirichlet(np.ones(313))).sum() == pytest.approx(1)


def test_rebalancing_weighs_rare_bins_more_and_one_on_average():
    prior = RANDOM.dirichlet(np.full(313, 0.2))
    weights = rebalancing_weights(prior)
    expected = 1 / (prior / 2 + 0.5 / 313)
    np.testing.assert_allclose(weights, expected / (prior * expected).sum(), rtol=1e-5)
    assert (prior * weights).sum() == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(rebalancing_weights(prior, uniform_share=1), 1, rtol=1e-5)
