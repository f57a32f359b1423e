import numpy as np
import pytest
import scipy.stats

from densecolor.evaluation.statistics import summarize


def test_mean_and_median_leave_out_what_is_not_finite():
    summary = summarize({"psnr": [20.0, 22.0, np.inf, 27.0, np.nan]})["psnr"]
    assert summary.count == 3
    assert summary.mean == pytest.approx(23)
    assert summary.median == 22
    assert 20 <= summary.low < 23 < summary.high <= 27


def test_interval_is_scipys_percentile_bootstrap():
    values = np.random.default_rng(1).gamma(2, 3, 400)
    expected = scipy.stats.bootstrap([values], np.mean, method="percentile", rng=np.random.default_rng(2))
    summary = summarize({"values": values})["values"]
    # Both draw at random; their ends differ by a small part of the interval.
    tolerance = 0.1 * (expected.confidence_interval.high - expected.confidence_interval.low)
    assert summary.low == pytest.approx(expected.confidence_interval.low, abs=tolerance)
    assert summary.high == pytest.approx(expected.confidence_interval.high, abs=tolerance)


def test_interval_covers_the_true_mean_nineteen_times_out_of_twenty():
    samples = np.random.default_rng(0).normal(5, 2, (200, 60))
    summaries = summarize({str(i): sample for i, sample in enumerate(samples)}, resamples=400)
    covered = sum(summary.low <= 5 <= summary.high for summary in summaries.values())
    assert 0.89 <= covered / len(samples) <= 0.99


def test_the_seed_decides_the_interval():
    values = {"values": np.random.default_rng(3).normal(size=50)}
    assert summarize(values) == summarize(values)
    assert summarize(values, seed=1) != summarize(values)


def test_blocks_of_draws_do_not_change_the_interval(monkeypatch):
    values = {"values": np.random.default_rng(4).normal(size=50)}
    whole = summarize(values, resamples=101)
    monkeypatch.setattr("densecolor.evaluation.statistics._BLOCK", 500)
    assert summarize(values, resamples=101) == whole


def test_one_value_has_no_interval_and_none_has_nothing():
    summaries = summarize({"one": [np.inf, 3.0], "none": [np.nan, np.inf]})
    assert summaries["one"] == (1, 3.0, 3.0, None, None)
    assert summaries["none"] == (0, None, None, None, None)
