"""What reads a hypercolumn: every layer of a network at one pixel, without ever building the stack of all of them."""

import keras
from keras import ops

from densecolor.color.hue_chroma import HISTOGRAM_BINS

WEIGHT_STDDEV = 1e-4  # of the projection at first, as in the released training code


@keras.saving.register_keras_serializable(package="densecolor")
class HypercolumnHead(keras.layers.Layer):
    """One hidden layer over the hypercolumn of each pixel, and from it the histograms of hue and chroma.

    The hypercolumn of Larsson et al. has 12,417 channels at every pixel. Its hidden layer is linear before the ReLU, so
    each map is projected at its own size, and the projections are read bilinearly and added: the same numbers
    without that tensor. In training only `samples` pixels of each picture, drawn anew each step, are read, as in the
    paper: their maps are read bilinearly at those places, and all other pixels get histograms of zeros.

    Args:
        factors: tuple of int, how much smaller than the picture each map is, 1 first; height and width of the finest
            map are multiples of the last.
        width: int, units of the hidden layer.
        samples: int, pixels that are read of each picture in training.
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
        return self._read_samples(maps, picture) if training else self._read_all(maps, picture)

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
            hidden = hidden + _project(_read_bilinearly(features, rows, columns, factor), kernel)
        histograms = self._finish(self.dropout(ops.relu(hidden), training=True))
        places = (ops.arange(batch)[:, None] * height + rows) * width + columns
        empty = ops.zeros((batch * height * width, 2, HISTOGRAM_BINS), "float32")
        flat = ops.reshape(histograms, (-1, 2, HISTOGRAM_BINS))
        everywhere = ops.scatter_update(empty, ops.reshape(places, (-1, 1)), flat)
        return ops.reshape(everywhere, (batch, height, width, 2, HISTOGRAM_BINS))

    def _read_all(self, maps, picture):
        """In bands of rows, since the hidden layer of a whole picture would take 4 KB a pixel several times over."""
        finest, *others = maps
        batch, height, width = ops.shape(finest)[:3]
        rows, columns = ops.arange(self.factors[-1])[:, None], ops.arange(width)[None]
        rows, columns = (ops.reshape(axis + ops.zeros_like(rows + columns), (1, -1)) for axis in (rows, columns))
        others = [_project(features, kernel) for features, kernel in zip(others, self.kernels[1:], strict=True)]

        def read_band(top):
            hidden = self.bias + _project(_read_bilinearly(finest, rows + top, columns, 1), self.kernels[0])
            for factor, projected in zip(self.factors[1:], others, strict=True):
                hidden = hidden + _read_bilinearly(projected, rows + top, columns, factor)
            return self._finish(ops.relu(hidden))

        bands = ops.map(read_band, ops.arange(0, height, self.factors[-1]))
        whole = ops.reshape(ops.swapaxes(bands, 0, 1), (batch, height, width, 2, HISTOGRAM_BINS))
        return whole[:, : ops.shape(picture)[1], : ops.shape(picture)[2]]

    def _finish(self, hidden):
        """Hidden units (batch, n, width) to histograms (batch, n, 2, 32)."""
        logits = self.histograms(hidden)
        return ops.softmax(ops.reshape(logits, (*ops.shape(logits)[:-1], 2, HISTOGRAM_BINS)), axis=-1)


def _project(features, kernel):
    return ops.matmul(features, ops.cast(kernel, features.dtype))


def _read_bilinearly(features, rows, columns, factor):
    """What bilinear enlargement would have at some of the pixels (half-pixel centres, as `layers.Enlarge`).

    Args:
        features: (batch, h, w, C).
        rows, columns: int (batch, n) or (1, n), pixels of the enlarged map.
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
