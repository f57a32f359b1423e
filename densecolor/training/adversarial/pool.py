"""A memory of predicted pictures, so that discriminators do not forget what the colorizer did before."""

import keras
import tensorflow as tf

from densecolor.training.adversarial.replicas import gather_rows
from densecolor.training.adversarial.replicas import global_rows


class ImagePool(keras.layers.Layer):
    """Give back, in place of half of the predicted pictures, such of earlier steps.

    Zhu et al., "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks", ICCV 2017, after
    Shrivastava et al. 2017, with 50 pictures: until the pool is full, pictures go in and are given back themselves;
    then each one is, with probability 1/2, exchanged for a random picture of the pool. Rows of a batch take different
    places of the pool. Rows of weight 0 stay as they are.

    All replicas have the same pool, and fill it with the pictures of all of them.

    Args:
        size: int, pictures; at least as many as a batch has over all replicas.
        side: int, height and width in pixels.
        channels: dict, name of an input of the discriminator to its number of channels.
        name: str.
    """

    def __init__(self, size, side, channels, name="pool"):
        super().__init__(name=name, dtype="float32")
        self._size = size
        self._channels = channels
        shared = {"initializer": "zeros", "trainable": False, "aggregation": "only_first_replica"}
        self.pictures = self.add_weight(shape=(size, side, side, sum(channels.values())), name="pictures", **shared)
        self.count = self.add_weight(shape=(), dtype="int32", name="count", **shared)
        self.built = True

    def exchange(self, parts, weight, seed):
        """Exchange a batch.

        Args:
            parts: dict of predicted inputs of a discriminator, (rows, H, W, C) each.
            weight: (rows,).
            seed: int (2,); decides all.

        Returns:
            dict like `parts`.
        """
        pictures = gather_rows(tf.concat([parts[name] for name in self._channels], axis=-1))
        is_picture = gather_rows(weight) > 0
        count, pool = tf.convert_to_tensor(self.count.value), tf.convert_to_tensor(self.pictures.value)
        draws = tf.random.stateless_uniform([self._size + pictures.shape[0]], seed)
        places = tf.argsort(draws[: self._size])[: pictures.shape[0]]
        next_free = count + tf.cumsum(tf.cast(is_picture, tf.int32), exclusive=True)
        fills = is_picture & (next_free < self._size)
        swaps = is_picture & (count == self._size) & (draws[self._size :] < 0.5)
        returned = tf.where(swaps[:, None, None, None], tf.gather(pool, places), pictures)
        # What is not stored goes to a place behind the last one, which is cut off again.
        target = tf.where(fills, next_free, tf.where(swaps, places, self._size))
        longer = tf.concat([pool, pool[:1]], axis=0)
        self.pictures.assign(tf.tensor_scatter_nd_update(longer, target[:, None], pictures)[: self._size])
        self.count.assign(tf.minimum(count + tf.reduce_sum(tf.cast(fills, tf.int32)), self._size))
        own = tf.gather(returned, global_rows(weight.shape[0]))
        return dict(zip(self._channels, tf.split(own, list(self._channels.values()), axis=-1), strict=True))
