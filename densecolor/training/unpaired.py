"""Batches of two packed folders side by side, for training on pictures that do not belong together."""

import tensorflow as tf

from densecolor.dataset import load
from densecolor.shards import read_manifest
from densecolor.training.adversarial import CycleColorizer

SEED_STEP = 1  # between the seeds of the two orders, so that one folder can stand on both sides


def training_batches(model, config, **options):
    """The batches that a run trains on.

    Args:
        model: what is trained.
        config: `TrainConfig`.
        **options: of `densecolor.dataset.load`.

    Returns:
        `tf.data.Dataset`.

    Raises:
        FileNotFoundError, ShardError: as `densecolor.dataset.load`.
    """
    if isinstance(model, CycleColorizer):
        # Both folders as large as the first is packed, where nothing else is said.
        options["image_size"] = options.get("image_size") or read_manifest(config.data).image_size
        return load_unpaired(config.data, config.unpaired or config.data, **options)
    return load(config.data, "train", **options)


def load_unpaired(path, other, split="train", seed=0, targets=("ab",), **options):
    """Batches of one folder, with the colours of as many pictures of another one beside them.

    Args:
        path: a packed folder, whose pictures are colorized.
        other: a packed folder of at least the same size in pixels; whose colours are shown. Both may be the same.
        split, seed, targets, **options: as in `densecolor.dataset.load`.

    Returns:
        `tf.data.Dataset` like that of `load`, whose inputs have also `unpaired`, float32 (batch, S, S, 3), sRGB in [0,
        1], and `unpaired_weight` (batch,), 0 for padding.

    Raises:
        FileNotFoundError, ShardError: as `load`, of either folder.
    """
    first = load(path, split, seed=seed, targets=targets, **options)
    second = load(other, split, seed=seed + SEED_STEP, targets=("rgb",), **options)

    def join(batch, beside):
        inputs, targets, weights = batch
        _, colors, its_weights = beside
        more = {"unpaired": colors["rgb"], "unpaired_weight": tf.reshape(its_weights["rgb"], [-1])}
        return inputs | more, targets, weights

    joined = tf.data.Dataset.zip(first, second).map(join)
    return joined.apply(tf.data.experimental.assert_cardinality(first.cardinality()))
