"""The classification loss of Zhang R. et al. over the 313 bins of a and b."""

import keras
from keras import ops

from densecolor.color import AB_SCALE
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import NEIGHBOURS
from densecolor.color.ab_bins import SIGMA
from densecolor.color.ab_bins import UNIFORM_SHARE
from densecolor.color.ab_bins import rebalancing_weights
from densecolor.errors import DensecolorError
from densecolor.errors import require_choice

STRIDE = 4  # of the predicted map in the picture
SUBSAMPLINGS = ("every_fourth", "average")
# Far below what float32's softmax gives in practice, so that no gradient is cut off; its inverse is no overflow.
FLOOR = 1e-30


@keras.saving.register_keras_serializable(package="densecolor")
class AbDistributionCrossentropy(keras.losses.Loss):
    """Cross-entropy of a predicted distribution over the bins with the softly encoded true colour, rebalanced.

    Zhang R., Isola P., Efros A., "Colorful Image Colorization", ECCV 2016. The target is the true ab itself: the loss
    brings it to the size of the prediction and spreads each colour over its nearest bins. A pixel counts by the
    rebalancing weight of its nearest bin. A picture in which no |a| or |b| reaches `gray_threshold` counts nothing,
    as in the released code: it would teach that everything is gray.

    The paper spreads over 5 bins, the released code over 10. Both take every fourth pixel; averaging over 4 x 4 is
    our alternative, safer against aliasing.

    Input: `y_true` (batch, H, W, 2), ab / 128; `y_pred` (batch, ceil(H / 4), ceil(W / 4), 313) probabilities; sample
    weights (batch, 1, 1).

    Args:
        prior: 313 numbers, the share of each bin in the training pictures, of sum 1; None weighs all bins alike.
        uniform_share: as in `densecolor.color.ab_bins.rebalancing_weights`.
        neighbours, sigma: as in `densecolor.color.ab_bins.encode_ab`.
        subsampling: "every_fourth" or "average".
        gray_threshold: in units of a and b; 0 lets every picture count.

    Raises:
        DensecolorError: `prior` has not 313 numbers, or `subsampling` is unknown.

    Example:
        >>> uniform = np.full((1, 1, 1, 313), 1 / 313)
        >>> round(float(AbDistributionCrossentropy()(np.full((1, 4, 4, 2), 0.5), uniform)), 4)  # log(313)
        5.7462
    """

    def __init__(
        self,
        prior=None,
        uniform_share=UNIFORM_SHARE,
        neighbours=NEIGHBOURS,
        sigma=SIGMA,
        subsampling="every_fourth",
        gray_threshold=5.0,
        name="ab_distribution_crossentropy",
        reduction="sum_over_batch_size",
        dtype="float32",
    ):
        super().__init__(name=name, reduction=reduction, dtype=dtype)
        require_choice("subsampling", subsampling, SUBSAMPLINGS)
        if prior is not None and len(prior) != len(AB_BINS):
            raise DensecolorError(f"`prior` must have {len(AB_BINS)} numbers, one a bin. Received: {len(prior)}.")
        self.prior = None if prior is None else [float(share) for share in prior]
        self.uniform_share = uniform_share
        self.neighbours = neighbours
        self.sigma = sigma
        self.subsampling = subsampling
        self.gray_threshold = gray_threshold
        self._weights = None if prior is None else rebalancing_weights(self.prior, uniform_share)

    def call(self, y_true, y_pred):
        """Weighted cross-entropy of each predicted pixel, (batch, ceil(H / 4), ceil(W / 4))."""
        ab = (y_true[:, ::STRIDE, ::STRIDE] if self.subsampling == "every_fourth" else _average(y_true)) * AB_SCALE
        squares = ops.sum(ops.square(ops.subtract(ab[..., None, :], AB_BINS)), axis=-1)
        # Of equally near bins `top_k` takes the earlier ones, as `encode_ab` does.
        negated, nearest = ops.top_k(-squares, self.neighbours)
        shares = ops.softmax(negated / (2 * self.sigma**2), axis=-1)
        predicted = ops.take_along_axis(ops.log(ops.maximum(y_pred, FLOOR)), nearest, axis=-1)
        loss = -ops.sum(shares * predicted, axis=-1)
        if self._weights is not None:
            loss = loss * ops.take(ops.convert_to_tensor(self._weights), nearest[..., 0])
        strongest = ops.max(ops.abs(ab), axis=(1, 2, 3), keepdims=True)[..., 0]
        return loss * ops.cast(strongest >= self.gray_threshold, loss.dtype)

    def get_config(self):
        """Every constructor argument, as plain JSON."""
        return {
            **super().get_config(),
            "prior": self.prior,
            "uniform_share": self.uniform_share,
            "neighbours": self.neighbours,
            "sigma": self.sigma,
            "subsampling": self.subsampling,
            "gray_threshold": self.gray_threshold,
        }


def _average(ab):
    """The mean of each 4 x 4 square; squares that reach over the border take the mean of what they have."""
    height, width = ops.shape(ab)[1:3]
    padding = [[0, 0], [0, -height % STRIDE], [0, -width % STRIDE], [0, 0]]

    def pooled(x):
        return ops.average_pool(ops.pad(x, padding), STRIDE, STRIDE, data_format="channels_last")

    return pooled(ab) / pooled(ops.ones_like(ab[..., :1]))
