import keras
import numpy as np
import pytest
import scipy.integrate

from densecolor.color import srgb_to_lab
from densecolor.color.ab_bins import AB_BINS
from densecolor.errors import ImageError
from densecolor.metrics import ab_accuracy_curve
from densecolor.metrics import ab_auc
from densecolor.metrics import ab_auc_by_bin
from densecolor.metrics import rebalanced_ab_auc
from densecolor.metrics.keras_ab_auc import AbAuc

THRESHOLDS = np.arange(151)


@pytest.fixture(scope="module")
def pair(photographs):
    """a and b of a photograph, rounded, and faded ones."""
    ab = np.rint(srgb_to_lab(photographs["coffee.png"][:60, 200:290])[..., 1:])
    return ab, 0.4 * ab + np.random.default_rng(0).normal(0, 8, ab.shape)


def test_the_curve_counts_pixels_within_each_threshold(pair):
    distance = np.linalg.norm(pair[0] - pair[1], axis=-1)
    expected = [(distance <= threshold).mean() for threshold in THRESHOLDS]
    np.testing.assert_allclose(ab_accuracy_curve(*pair), expected, atol=1e-12)


def test_the_area_is_scipys_of_the_curve(pair):
    distance = np.linalg.norm(pair[0] - pair[1], axis=-1)
    curve = [(distance <= threshold).mean() for threshold in THRESHOLDS]
    assert ab_auc(*pair) == pytest.approx(scipy.integrate.trapezoid(curve, THRESHOLDS) / 150, abs=1e-12)


def test_rebalancing_weighs_every_pixel_by_the_inverse_share_of_its_bin(pair):
    true, predicted = pair
    colours = true.reshape(-1, 1, 2)
    bins = np.square(colours - AB_BINS.astype(float)).sum(axis=-1).argmin(axis=1)
    weights = 1 / np.bincount(bins, minlength=313)[bins]
    distance = np.linalg.norm(true - predicted, axis=-1).ravel()
    curve = [np.average(distance <= threshold, weights=weights) for threshold in THRESHOLDS]
    expected = scipy.integrate.trapezoid(curve, THRESHOLDS) / 150
    assert rebalanced_ab_auc(*ab_auc_by_bin(true, predicted)) == pytest.approx(expected, abs=1e-12)


def test_sums_of_two_pictures_are_those_of_both_in_one(pair):
    halves = [ab_auc_by_bin(pair[0][part], pair[1][part]) for part in (slice(0, 25), slice(25, None))]
    counts, areas = (sum(values) for values in zip(*halves, strict=True))
    whole_counts, whole_areas = ab_auc_by_bin(*pair)
    assert counts.tolist() == whole_counts.tolist()
    np.testing.assert_allclose(areas, whole_areas, rtol=1e-12)
    assert counts.sum() == pair[0].size / 2
    assert areas.sum() / counts.sum() == pytest.approx(ab_auc(*pair), abs=1e-12)


def test_whole_distances_count_at_their_own_threshold():
    true, predicted = np.int8([[[0, 0], [0, 0], [-128, 0]]]), np.float32([[[3, 4], [0, 0], [127, 0]]])
    curve = ab_accuracy_curve(true, predicted)
    assert curve[[0, 4, 5, 150]].tolist() == pytest.approx([1 / 3, 1 / 3, 2 / 3, 2 / 3])


def test_ends_of_the_range(pair):
    assert ab_auc(pair[0], pair[0]) == rebalanced_ab_auc(*ab_auc_by_bin(pair[0], pair[0])) == 1
    assert ab_auc(np.float32([[[100, 100]]]), np.float32([[[-100, -100]]])) == 0
    assert np.isnan(rebalanced_ab_auc(np.zeros(313, int), np.zeros(313)))


def test_other_shapes_are_refused():
    with pytest.raises(ImageError, match=r"same shape.*ab_pred.shape=\(2, 3, 2\)"):
        ab_accuracy_curve(np.zeros((3, 2, 2)), np.zeros((2, 3, 2)))
    with pytest.raises(ImageError, match="NaN"):
        ab_auc(np.zeros((3, 2, 2)), np.full((3, 2, 2), np.nan))


def test_the_keras_metric_is_the_numpy_one_and_leaves_padding_out(pair):
    true = np.stack([pair[0], pair[0] * 0, pair[0]]).astype(np.float32)
    predicted = np.stack([pair[1], pair[1], pair[0]]).astype(np.float32)
    metric = AbAuc()
    metric.update_state(true / 128, predicted / 128, np.float32([1, 1, 0]).reshape(3, 1, 1))
    expected = np.mean([ab_auc(true[i], predicted[i]) for i in range(2)])
    assert float(metric.result()) == pytest.approx(expected, abs=1e-5)
    metric.reset_state()
    metric.update_state(true[:1] / 128, true[:1] / 128 + 8)
    assert float(metric.result()) == 0
    assert keras.metrics.deserialize(keras.metrics.serialize(metric)).name == "ab_auc"
