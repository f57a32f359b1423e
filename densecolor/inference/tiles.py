"""The network at a picture's full size, in overlapping tiles whose seams cannot be seen.

A convolution sees only so far. Where a tile reaches further than that beyond what is taken from it, what is taken is
what the network would have said of the whole picture. Tiles fade into each other, so that there is no seam either
where a network sees everything.
"""

import dataclasses

import numpy as np

TILE = 512  # pixels; a network with 32 channels at full size then keeps 34 MB a layer
FADE = 32  # pixels over which a tile gives way to the next
ALIGNMENT = 32  # tiles begin at multiples of every network's strides
FARTHEST = 256  # pixels; networks that see farther are treated as if they saw everything


class TiledPrediction:
    """The network's a and b at full size, a band of rows at a time, from the top down.

    Args:
        predict: function from L (h, w) to ab (h, w, 2), all float32.
        lightness: function `(start, stop)` that gives rows of L; never asked for rows that `rows` has given before.
        height: int, of the picture.
        width: int, of the picture.
        reach: int, how many pixels away `predict` sees; `FARTHEST` where it sees everything.
        tile: int, least side of a tile.
    """

    def __init__(self, predict, lightness, height, width, reach, tile=TILE):
        self._predict = predict
        self._lightness = lightness
        margin, fade = (reach, FADE) if reach < FARTHEST else (FARTHEST // 4, FARTHEST // 2)
        tile = max(tile, 4 * margin)
        self._rows = _spans(height, tile, margin, fade)
        self._columns = _spans(width, tile, margin, fade)
        self._width = width
        self._strips = {}

    def rows(self, start, stop):
        """The ab of the rows from `start` to `stop`: float32 (stop - start, width, 2)."""
        total = np.zeros((stop - start, self._width, 2), np.float32)
        weights = np.zeros((stop - start, 1, 1), np.float32)
        for index, span in enumerate(self._rows):
            if span.stop <= start:
                self._strips.pop(index, None)
            elif span.start < stop:
                if index not in self._strips:
                    self._strips[index] = self._strip(span)
                first, last = max(start, span.start), min(stop, span.stop)
                inside = slice(first - span.start, last - span.start)
                weight = span.weights[inside, None, None]
                total[first - start : last - start] += weight * self._strips[index][inside]
                weights[first - start : last - start] += weight
        return total / weights

    def _strip(self, rows):
        """The ab of a row of tiles, as wide as the picture."""
        lightness = self._lightness(rows.start, rows.stop)
        total = np.zeros((*lightness.shape, 2), np.float32)
        weights = np.zeros((self._width, 1), np.float32)
        for span in self._columns:
            columns = slice(span.start, span.stop)
            total[:, columns] += span.weights[:, None] * self._predict(lightness[:, columns])
            weights[columns] += span.weights[:, None]
        total /= weights
        return total


def measure_reach(predict, farthest=FARTHEST):
    """How far what a network sees changes what it predicts: a patch of noise is changed, and the change looked for.

    Args:
        predict: function from L (h, w) to ab (h, w, 2), all float32.
        farthest: int, pixels, a multiple of `ALIGNMENT`.

    Returns:
        int, pixels, rounded up to a multiple of 8; `farthest` where it is that far, or farther.
    """
    side = 2 * farthest + ALIGNMENT
    lightness = np.random.default_rng(0).uniform(0, 100, (side, side)).astype(np.float32)
    before = predict(lightness)
    middle = slice(farthest, farthest + ALIGNMENT)
    lightness[middle, middle] = 100 - lightness[middle, middle]
    change = np.abs(predict(lightness) - before).max(axis=-1)
    rows, columns = np.nonzero(change > 1e-6 * change.max())
    if not len(rows):
        return 0
    reach = max(farthest - min(rows.min(), columns.min()), max(rows.max(), columns.max()) - middle.stop + 1, 0)
    return min(int(reach + -reach % 8), farthest)


@dataclasses.dataclass(frozen=True, eq=False)
class _Span:
    """From where to where a tile goes along one axis, and how much each of its pixels counts."""

    start: int
    stop: int
    weights: np.ndarray


def _spans(length, tile, margin, fade):
    """Tiles along one axis: of the outermost `margin` pixels nothing is taken, over the next `fade` it begins."""
    last = max(0, length - tile) // ALIGNMENT * ALIGNMENT
    step = (tile - 2 * margin - fade) // ALIGNMENT * ALIGNMENT
    spans = []
    for start in (*range(0, last, step), last):
        stop = length if start == last else start + tile
        weights = np.ones(stop - start, np.float32)
        ramp = np.clip((np.arange(stop - start, dtype=np.float32) + 0.5 - margin) / fade, 0, 1)
        if start > 0:
            weights *= ramp
        if stop < length:
            weights *= ramp[::-1]
        spans.append(_Span(start, stop, weights))
    return spans
