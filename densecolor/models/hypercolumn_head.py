"""What reads a hypercolumn: every layer of a network at one pixel, without ever building the stack of all of them."""

import keras
from keras import ops

from densecolor.color.hue_chroma import HISTOGRAM_BINS
from densecolor.models.layers import Enlarge

WEIGHT_STDDEV = 1e-4  # of the projection at first, as in the released training code


@keras.saving.register_keras_serializable(package="densecolor")
class HypercolumnHead(keras.layers.Layer):
    """One hidden layer over the hypercolumn of each pixel, and from it the histograms of hue and chroma.

    The hypercolumn of Larsson et al. has 12,417 channels at every pixel. Its hidden layer is linear before the ReLU, so
    each map is projected at its own size, and the projections are enlarged bilinearly and added: the same numbers
    without that tensor. In training only `samples` pixels of each picture, drawn anew each step, are read, as in the
    paper: their maps are read bilinearly at those places, and all other pixels get histograms of zeros.

    Args:
        factors: tuple of int, how much smaller than the picture each map is.
        width: int, units of the hidden layer.
        samples: int, pixels that are read of each picture in training; 0 reads all.
        dropout: float, share of hidden units that training leaves out.
    """

    def __init__(self, factors, width=1024, samples=128, dropout=0.5, **kwargs):
        super().__init__(**kwargs)
        self.factors = tuple(factors)
        self.width = width
        self.samples = samples
        self.dropout_rate = dropout
        self.seed_generator = keras.random.SeedGenerator()
        self.dropout = keras.layers.Dropout(dropout, name="dropout")
        self.histograms = keras.layers.Dense(2 * HISTOGRAM_BINS, dtype="float32", name="histograms")
        self.enlargements = [Enlarge(factor, name=f"enlarge{factor}") for factor in self.factors]

    def build(self, shapes):
        """Make the weights; the last shape is that of the picture."""
        small = keras.initializers.RandomNormal(stddev=WEIGHT_STDDEV)
        self.kernels = [
            self.add_weight(shape=(shape[-1], self.width), initializer=small, name=f"kernel{factor}")
            for factor, shape in zip(self.factors, shapes[:-1], strict=True)
        ]
        self.bias = self.add_weight(shape=(self.width,), initializer="zeros", name="bias")
        self.histograms.build((*shapes[-1][:-1], self.width))

    def call(self, inputs, training=None):
        """Maps (batch, h, w, C), finest first, and the picture (batch, H, W, 1), to (batch, H, W, 2, 32)."""
        *maps, picture = inputs
        if training and self.samples:
            return self._read_samples(maps, picture)
        height, width = ops.shape(picture)[1:3]
        hidden = self.bias
        for enlarge, kernel, features in zip(self.enlargements, self.kernels, maps, strict=True):
            hidden = hidden + enlarge(ops.matmul(features, ops.cast(kernel, features.dtype)))[:, :height, :width]
        return self._finish(hidden, training)

    def compute_output_shape(self, shapes):
        """Two histograms for each pixel of the picture."""
        return (*shapes[-1][:-1], 2, HISTOGRAM_BINS)

    def get_config(self):
        """The constructor's arguments."""
        return {
            **super().get_config(),
            "factors": list(self.factors),
            "width": self.width,
            "samples": self.samples,
            "dropout": self.dropout_rate,
        }

    def _read_samples(self, maps, picture):
        batch, height, width = ops.shape(picture)[:3]
        drawn = keras.random.uniform((batch, self.samples, 2), dtype="float32", seed=self.seed_generator)
        rows = ops.minimum(ops.cast(drawn[..., 0] * height, "int32"), height - 1)
        columns = ops.minimum(ops.cast(drawn[..., 1] * width, "int32"), width - 1)
        hidden = self.bias
        for factor, kernel, features in zip(self.factors, self.kernels, maps, strict=True):
            read = _read_bilinearly(features, rows, columns, factor)
            hidden = hidden + ops.matmul(read, ops.cast(kernel, read.dtype))
        histograms = self._finish(hidden, training=True)
        places = (ops.arange(batch)[:, None] * height + rows) * width + columns
        empty = ops.zeros((batch * height * width, 2, HISTOGRAM_BINS), "float32")
        flat = ops.reshape(histograms, (-1, 2, HISTOGRAM_BINS))
        everywhere = ops.scatter_update(empty, ops.reshape(places, (-1, 1)), flat)
        return ops.reshape(everywhere, (batch, height, width, 2, HISTOGRAM_BINS))

    def _finish(self, hidden, training):
        logits = self.histograms(self.dropout(ops.relu(hidden), training=training))
        return ops.softmax(ops.reshape(logits, (*ops.shape(logits)[:-1], 2, HISTOGRAM_BINS)), axis=-1)


def _read_bilinearly(features, rows, columns, factor):
    """What `Enlarge(factor)` would have at some of the pixels.

    Args:
        features: (batch, h, w, C).
        rows, columns: int (batch, n), pixels of the enlarged map.
        factor: int.

    Returns:
        (batch, n, C).
    """
    batch, height, width, channels = ops.shape(features)
    flat = ops.reshape(features, (-1, channels))
    starts = ops.arange(batch)[:, None] * height

    def at(row, column):
        return ops.take(flat, (starts + row) * width + column, axis=0)

    if factor == 1:
        return at(rows, columns)
    upper, lower, down = _between(rows, factor, height, features.dtype)
    left, right, across = _between(columns, factor, width, features.dtype)
    above = at(upper, left) * (1 - across) + at(upper, right) * across
    below = at(lower, left) * (1 - across) + at(lower, right) * across
    return above * (1 - down) + below * down


def _between(pixels, factor, size, dtype):
    """The two samples that a pixel lies between, and how far it is from the first, (batch, n, 1)."""
    place = ops.clip((ops.cast(pixels, "float32") + 0.5) / factor - 0.5, 0, ops.cast(size - 1, "float32"))
    first = ops.cast(place, "int32")
    share = ops.cast(place - ops.cast(first, "float32"), dtype)
    return first, ops.minimum(first + 1, size - 1), share[..., None]
