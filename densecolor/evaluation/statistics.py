"""Means, medians and bootstrap confidence intervals over pictures."""

from typing import NamedTuple

import numpy as np

RESAMPLES = 2_000
SEED = 0
CONFIDENCE = 95  # per cent
_BLOCK = 4_000_000  # draws held in memory at once


class Summary(NamedTuple):
    """One measure over many pictures; None where too few pictures have a finite value."""

    count: int  # pictures with a finite value; the others are left out of everything below
    mean: float | None
    median: float | None
    low: float | None  # ends of the 95 % confidence interval of the mean
    high: float | None


def summarize(columns, resamples=RESAMPLES, seed=SEED):
    """Summarize measures of the same pictures.

    The interval is a percentile bootstrap: pictures are drawn with replacement, the same draws for every column,
    so the order of the pictures matters to its last digits.

    Args:
        columns: dict of name to float array (pictures,), all of one length; NaN and infinities are left out.
        resamples: number of resamples.
        seed: of the draws.

    Returns:
        dict of name to Summary.

    Example:
        >>> summarize({"psnr": np.array([20.0, 22.0, np.inf])})["psnr"][:3]
        (2, 21.0, 21.0)
    """
    values = np.stack([np.asarray(column, np.float64) for column in columns.values()], axis=1)
    means = _bootstrap_means(values, resamples, seed)
    return {
        name: _summary(column[np.isfinite(column)], resampled)
        for name, column, resampled in zip(columns, values.T, means.T, strict=True)
    }


def _summary(values, resampled_means):
    if not len(values):
        return Summary(0, None, None, None, None)
    low = high = None
    if len(values) > 1:  # one picture says nothing about how much pictures differ
        tail = (100 - CONFIDENCE) / 2
        low, high = np.nanpercentile(resampled_means, [tail, 100 - tail]).tolist()
    return Summary(len(values), float(values.mean()), float(np.median(values)), low, high)


def _bootstrap_means(values, resamples, seed):
    """Mean of each column in each resample, (resamples, columns); NaN where a resample has no finite value."""
    random = np.random.default_rng(seed)
    pictures = len(values)
    finite = np.isfinite(values)
    known = np.where(finite, values, 0)
    sums, counts = [], []
    for start in range(0, resamples, max(1, _BLOCK // pictures)):
        block = min(max(1, _BLOCK // pictures), resamples - start)
        draws = random.integers(0, pictures, (block, pictures)) + pictures * np.arange(block)[:, None]
        times_drawn = np.bincount(draws.ravel(), minlength=block * pictures).reshape(block, pictures)
        sums.append(times_drawn @ known)
        counts.append(times_drawn @ finite.astype(np.float64))
    with np.errstate(invalid="ignore"):
        return np.concatenate(sums) / np.concatenate(counts)
