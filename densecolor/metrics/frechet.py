"""How far two sets of pictures are apart as a whole, seen by a network (FID)."""

import numpy as np

from densecolor.errors import DensecolorError


def frechet_distance(features_true, features_pred):
    """Frechet distance between the normal distributions fitted to two sets of features.

    |m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2)) with the means and the sample covariances of the sets. The trace of
    the root is the sum of the roots of the eigenvalues of R C2 R, R the symmetric root of C1, which stays real where
    covariances are singular (fewer pictures than features).

    With features of Inception-v3's average pooling this is FID; the pretrained file and the way pictures are resized
    change it, so that only distances made in the same way compare.

    Args:
        features_true: float (pictures, features), at least 2 pictures.
        features_pred: float (pictures, features); the number of pictures may differ.

    Returns:
        float, from 0 (alike). It is biased: the fewer pictures, the larger.

    Raises:
        DensecolorError: shapes that do not fit, fewer than 2 pictures, or values that are not finite.

    Source:
        Heusel M. et al., "GANs Trained by a Two Time-Scale Update Rule Converge to a Local Nash Equilibrium",
        NeurIPS 2017.

    Example:
        >>> frechet_distance(np.float32([[0, 0], [2, 0]]), np.float32([[3, 4], [5, 4]]))
        25.0
    """
    return FeatureMoments.of(features_true).distance(FeatureMoments.of(features_pred))


class FeatureMoments:
    """Sums over the features of pictures, which merge by adding: mean and covariance without keeping the features.

    Attributes:
        count: pictures.
        total: float64 (features,), sum of their features.
        products: float64 (features, features), sum of their outer products.

    Example:
        >>> moments = FeatureMoments.of(first_half) + FeatureMoments.of(second_half)
        >>> moments.distance(others)
        12.3
    """

    def __init__(self, count, total, products):
        self.count = count
        self.total = total
        self.products = products

    @classmethod
    def of(cls, features):
        """Of an array (pictures, features).

        Raises:
            DensecolorError: another shape, no picture, or values that are not finite.
        """
        features = np.asarray(features, np.float64)
        if features.ndim != 2 or not features.size or not np.isfinite(features).all():
            raise DensecolorError(
                f"Features must be finite floats (pictures, features). Received: shape={features.shape}."
            )
        return cls(len(features), features.sum(axis=0), features.T @ features)

    def __add__(self, other):
        return FeatureMoments(self.count + other.count, self.total + other.total, self.products + other.products)

    def distance(self, other):
        """`frechet_distance` between the pictures of these sums and those of others."""
        if self.total.shape != other.total.shape or min(self.count, other.count) < 2:
            raise DensecolorError(
                "The Frechet distance needs two sets of 2 pictures or more with the same features. Received: "
                f"{self.count} and {other.count} pictures, {len(self.total)} and {len(other.total)} features."
            )
        (mean, covariance), (other_mean, other_covariance) = self._normal(), other._normal()
        difference = mean - other_mean
        values, vectors = np.linalg.eigh(covariance)
        root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
        common = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ other_covariance @ root), 0)).sum()
        distance = difference @ difference + np.trace(covariance) + np.trace(other_covariance) - 2 * common
        return float(max(distance, 0))

    def _normal(self):
        mean = self.total / self.count
        return mean, (self.products - self.count * np.outer(mean, mean)) / (self.count - 1)
