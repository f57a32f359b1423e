import numpy as np
import pytest
import scipy.linalg

from densecolor.errors import DensecolorError
from densecolor.metrics import FeatureMoments
from densecolor.metrics import frechet_distance


def features(seed, pictures=200, dimensions=24, shift=0.0):
    random = np.random.default_rng(seed)
    mixing = random.normal(size=(dimensions, dimensions))
    return random.normal(shift, 1, (pictures, dimensions)) @ mixing


def by_formula(one, other):
    c1, c2 = np.cov(one, rowvar=False), np.cov(other, rowvar=False)
    root = scipy.linalg.sqrtm(c1 @ c2).real
    return np.square(one.mean(axis=0) - other.mean(axis=0)).sum() + np.trace(c1 + c2 - 2 * root)


def test_is_the_formula_with_scipys_matrix_root():
    one, other = features(0), features(1, pictures=150, shift=0.3)
    assert frechet_distance(one, other) == pytest.approx(by_formula(one, other), rel=1e-8)
    assert frechet_distance(one, other) == pytest.approx(frechet_distance(other, one), rel=1e-9)


def test_fewer_pictures_than_features_stay_real():
    one, other = features(0, pictures=10), features(1, pictures=12)
    assert frechet_distance(one, other) == pytest.approx(by_formula(one, other), rel=1e-4)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-4)


def test_one_feature_by_hand():
    # Means 1 and 4, variances 2 and 8: 9 + (sqrt(8) - sqrt(2))^2.
    assert frechet_distance([[0.0], [2.0]], [[2.0], [6.0]]) == pytest.approx(9 + 2)


def test_sums_of_parts_are_those_of_the_whole():
    one, other = features(0), features(1)
    merged = FeatureMoments.of(one[:70]) + FeatureMoments.of(one[70:])
    assert merged.distance(FeatureMoments.of(other)) == pytest.approx(frechet_distance(one, other), rel=1e-9)


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (np.zeros((1, 3)), "2 pictures or more"),
        (np.zeros((4, 2)), "3 and 2 features"),
        (np.zeros(4), r"shape=\(4,\)"),
        (np.full((4, 3), np.nan), "finite"),
    ],
)
def test_what_has_no_distance_is_refused(other, complaint):
    with pytest.raises(DensecolorError, match=complaint):
        frechet_distance(np.eye(3), other)
