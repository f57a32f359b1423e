import numpy as np
import pytest

from densecolor.metrics.color_spread import ColorSpread


def colors(seed, scale, rows=5):
    random = np.random.default_rng(seed)
    return (random.normal(0.1, scale, (rows, 6, 7, 2))).astype("float32")


def spread(ab):
    """Root of the summed variances of a and b over all pixels."""
    return np.sqrt(ab.astype("float64").reshape(-1, 2).var(axis=0).sum())


def test_against_numpy_over_several_batches_with_padding():
    true, predicted, metric = colors(0, 0.2), colors(1, 0.05), ColorSpread()
    weights = np.float32([1, 1, 0])
    metric.update_state(true[:3], predicted[:3], weights[:, None, None])
    metric.update_state(true[3:], predicted[3:])
    counted = [0, 1, 3, 4]
    assert float(metric.result()) == pytest.approx(spread(predicted[counted]) / spread(true[counted]), rel=1e-3)


def test_one_color_for_everything_is_a_collapse():
    metric = ColorSpread()
    assert float(metric.result()) == 0
    metric.update_state(colors(0, 0.2), np.full((5, 6, 7, 2), 0.3, "float32"))
    assert float(metric.result()) < 1e-2


def test_what_differs_between_pictures_only_counts():
    """Each picture in a colour of its own is no collapse."""
    true = np.repeat(np.repeat(colors(2, 0.2)[:, :1, :1], 6, axis=1), 7, axis=2)
    metric = ColorSpread()
    metric.update_state(true, true)
    assert float(metric.result()) == pytest.approx(1, rel=1e-5)
