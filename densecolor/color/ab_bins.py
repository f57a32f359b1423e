"""The 313 colours of Zhang R. et al.: a grid over a and b, and distributions over it.

Zhang R., Isola P., Efros A., "Colorful Image Colorization", ECCV 2016. NumPy only; the loss
(`densecolor.losses.AbDistributionCrossentropy`) and the layer that decodes (`densecolor.models.colorful.AnnealedMean`)
compute the same in `keras.ops`.
"""

import numpy as np

GRID = 10  # distance of neighbouring bins in a and in b
SIGMA = 5.0  # of the Gaussian around a colour, in units of a and b
NEIGHBOURS = 5  # bins that a colour is spread over; the released training code has 10
TEMPERATURE = 0.38  # of the annealed mean: 1 gives the mean, towards 0 the mode
UNIFORM_SHARE = 0.5  # of the uniform distribution in the mixture that the rebalancing inverts

# For each a from -90 in steps of 10, the lowest and the highest b. These are the corners of all cells of the grid that
# an sRGB colour falls into, and four more of the published list: (40, 90), (100, -90), (100, -10) and (100, 0).
_ROWS = (
    (50, 90),
    (20, 90),
    (0, 90),
    (-20, 90),
    (-30, 100),
    (-40, 100),
    (-50, 100),
    (-50, 100),
    (-60, 100),
    (-70, 100),
    (-80, 90),
    (-80, 90),
    (-90, 90),
    (-100, 90),
    (-100, 80),
    (-110, 80),
    (-110, 80),
    (-110, 70),
    (-110, 70),
    (-90, 0),
)


def _all_bins():
    rows = enumerate(_ROWS)
    bins = [(GRID * (row - 9), b) for row, (low, high) in rows for b in range(low, high + 1, GRID)]
    bins = np.float32(bins)
    bins.flags.writeable = False
    return bins


AB_BINS = _all_bins()  # float32 (313, 2), a and b of each bin, in the order of the published list


def encode_ab(ab, neighbours=NEIGHBOURS, sigma=SIGMA):
    """Spread colours over their nearest bins, with Gaussian weights of the distance.

    Args:
        ab: float array (..., 2), a and b in [-128, 127].
        neighbours: bins that share a colour; of two equally near ones the earlier counts as nearer.
        sigma: of the Gaussian, in units of a and b.

    Returns:
        float32 array (..., 313) of sum 1.

    Example:
        >>> encode_ab([0.0, 0.0]).max().round(3)  # the bin itself; four others have 0.088 each
        0.649
    """
    squares = np.square(np.asarray(ab, np.float32)[..., None, :] - AB_BINS).sum(axis=-1)
    nearest = np.argsort(squares, axis=-1, kind="stable")[..., :neighbours]
    near = np.take_along_axis(squares, nearest, axis=-1)
    shares = np.exp((near[..., :1] - near) / (2 * sigma**2))
    encoded = np.zeros_like(squares)
    np.put_along_axis(encoded, nearest, shares / shares.sum(axis=-1, keepdims=True), axis=-1)
    return encoded


def decode_ab(distribution, temperature=TEMPERATURE):
    """The annealed mean of distributions over the bins: the mean after sharpening by a temperature.

    Args:
        distribution: float array (..., 313), not negative; of any positive sum.
        temperature: above 0 and at most 1: 1 gives the mean, towards 0 the colour of the most likely bin.

    Returns:
        float32 array (..., 2), a and b.

    Example:
        >>> decode_ab(encode_ab([12.0, -34.0])).round(1).tolist()
        [10.4, -32.6]
    """
    peak = np.max(distribution, axis=-1, keepdims=True)
    sharpened = np.power(distribution / peak, 1 / temperature)
    return (sharpened / sharpened.sum(axis=-1, keepdims=True)) @ AB_BINS


def smooth_distribution(distribution, sigma=SIGMA):
    """Smooth a distribution over the bins by a Gaussian in the plane of a and b; its sum stays.

    Args:
        distribution: float array (313,).
        sigma: of the Gaussian, in units of a and b.

    Returns:
        float64 array (313,).
    """
    squares = np.square(AB_BINS[:, None] - AB_BINS).sum(axis=-1, dtype=np.float64)
    kernel = np.exp(-squares / (2 * sigma**2))
    return distribution @ (kernel / kernel.sum(axis=-1, keepdims=True))


def rebalancing_weights(prior, uniform_share=UNIFORM_SHARE):
    """How much a pixel counts by its bin, so that rare colours are learned as well as frequent ones.

    The inverse of a mixture of the prior with the uniform distribution, scaled to an expected weight of 1. The paper
    mixes in all bins, the released code only those that its prior has; here as in the paper.

    Args:
        prior: float array (313,), the share of each bin in the training pictures, of sum 1.
        uniform_share: in [0, 1]; 1 weighs all bins alike.

    Returns:
        float32 array (313,), with sum(prior * weights) = 1.

    Example:
        >>> rebalancing_weights(np.full(313, 1 / 313)).round(6).max()
        1.0
    """
    prior = np.asarray(prior, np.float64)
    weights = 1 / ((1 - uniform_share) * prior + uniform_share / len(prior))
    return (weights / (prior @ weights)).astype(np.float32)
