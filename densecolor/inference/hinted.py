"""Hints spread along a picture's own edges and laid over what a model predicts.

After Yatziv, Sapiro, "Fast Image and Video Colorization Using Chrominance Blending", IEEE Transactions on Image
Processing 15(5), 2006: a pixel's colour is the mean of the colours asked for, each weighing by a power of its distance
to the pixel, where crossing a step of lightness makes a way longer. The model's own colour takes part in this mean as
one more colour that is equally far from everywhere: so it fades out near hints and is untouched far from them, and
behind edges.
"""

import numpy as np
import scipy.sparse
import scipy.sparse.csgraph

from densecolor.inference.upsampling import Upsampler

GRID_SIZE = 256  # the side in pixels of a square as large as the grid on which hints spread
# The model's own colour is as far away as this, in sides of the grid's square; at FARTHEST times that hints end.
REACH = 0.25
FARTHEST = 3.0
EDGE = 2.0  # a step of lightness of so much doubles a way
POWER = 4  # of the distance, which the paper chooses between 1 and 6
NEAREST = 0.1  # of a cell: of a hint to itself
MOST_GROUPS = 12  # of like colours that distances are computed for
_NEIGHBOURS = ((0, 1), (1, 0), (1, 1), (1, -1))


class HintedColor:
    """Blends hints into predicted colours, a band of rows at a time.

    Args:
        hints: `densecolor.inference.hints.Hints`.
        lightness: float32 (h, w), L of the picture at the grid's resolution (see `GRID_SIZE`).
        height: int, of the picture.
        width: int, of the picture.
        upsampling: a name in `UPSAMPLINGS`.

    Raises:
        ImageError: the hints do not fit the picture.
    """

    def __init__(self, hints, lightness, height, width, upsampling="guided"):
        cells, ab = hints.on_grid(height, width, *lightness.shape)
        self._upsampler = Upsampler(spread(lightness, cells, ab), lightness, height, width, upsampling)

    def blend(self, ab, start, stop, lightness):
        """The ab of the rows from `start` to `stop` with the hints in them.

        Args:
            ab: float32 (stop - start, width, 2), as predicted.
            start: int.
            stop: int.
            lightness: float32 (stop - start, width), their L.

        Returns:
            float32 (stop - start, width, 2).
        """
        spread_rows = self._upsampler.rows(start, stop, lightness)
        found = spread_rows[..., 2:]
        weight = np.clip(found, 0, 1)  # cubic interpolation overshoots
        colors = spread_rows[..., :2] * np.where(found > 0, weight / np.maximum(found, 1e-6), 0)
        return ab * (1 - weight) + colors


def spread(lightness, cells, ab, edge=EDGE):
    """Spread colours from some cells of a grid.

    Args:
        lightness: float32 (h, w), L.
        cells: int (n,), places in the flattened grid.
        ab: float32 (n, 2), their colours.
        edge: float, the step of L that doubles a way; infinite for distances that know no edges.

    Returns:
        float32 (h, w, 3): a and b times their weight, and the weight, in [0, 1]; the rest is the prediction's.
    """
    ways = _ways(lightness, edge)
    reach = max(1.0, REACH * lightness.size**0.5)
    colors = np.zeros((lightness.size, 2))
    weights = np.zeros(lightness.size)
    of_cell = np.zeros((lightness.size, 2))
    of_cell[cells] = ab
    for group in _groups(ab):
        distance, _, nearest = scipy.sparse.csgraph.dijkstra(
            ways, indices=cells[group], min_only=True, return_predecessors=True, limit=FARTHEST * reach
        )
        near = np.flatnonzero(np.isfinite(distance))
        weight = (np.maximum(distance[near], NEAREST) / reach) ** -POWER - FARTHEST**-POWER
        weights[near] += weight
        colors[near] += weight[:, None] * of_cell[nearest[near]]
    shares = np.column_stack([colors, weights]) / (1 + weights)[:, None]  # the prediction weighs 1
    return shares.astype(np.float32).reshape(*lightness.shape, 3)


def _ways(lightness, edge):
    """The grid as a graph: every cell and its eight neighbours, with the lengths of the ways between them."""
    places = np.arange(lightness.size).reshape(lightness.shape)
    starts, ends, lengths = [], [], []
    for down, right in _NEIGHBOURS:
        here, there = _shifted(down, right)
        step = (lightness[there] - lightness[here]).ravel().astype(np.float64)
        starts.append(places[here].ravel())
        ends.append(places[there].ravel())
        lengths.append(np.hypot(down, right) * (1 + (step / edge) ** 2))
    starts, ends, lengths = map(np.concatenate, (starts, ends, lengths))
    both = np.concatenate([starts, ends]), np.concatenate([ends, starts])
    return scipy.sparse.csr_array((np.tile(lengths, 2), both), shape=(lightness.size,) * 2)


def _shifted(down, right):
    """Two views of an array: cells that have the neighbour, and the neighbours."""
    here = slice(None, -down or None), slice(max(0, -right), -right if right > 0 else None)
    there = slice(down, None), slice(max(0, right), right if right < 0 else None)
    return here, there


def _groups(ab):
    """Yield the indices of like colours: the finest of some ways to bin them that gives few enough groups."""
    width = 4.0
    while True:
        _, group = np.unique(np.floor(ab / width), axis=0, return_inverse=True)
        group = group.ravel()
        if group.max() < MOST_GROUPS:
            break
        width *= 2
    for number in range(group.max() + 1):
        yield np.flatnonzero(group == number)
