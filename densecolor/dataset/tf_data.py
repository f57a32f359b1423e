"""Shards to `tf.data`, ready for `fit` under any tf.distribute strategy."""

import numpy as np
import tensorflow as tf

from densecolor.cores import available_cores
from densecolor.dataset.batches import BatchReader
from densecolor.dataset.batches import model_values
from densecolor.dataset.ending import until_exit


def load(
    path,
    split="train",
    batch_size=32,
    image_size=None,
    augment=False,
    shuffle=None,
    seed=0,
    targets=("ab",),
    worker_index=0,
    worker_count=1,
    repeat=False,
    start_step=0,
    classes=None,
    on_damage=None,
    sharding="element",
    replicas=1,
    embedding=None,
):
    """Batches of a packed split as a `tf.data.Dataset`.

    Args:
        path: a packed folder, or one .h5 shard.
        split: "train", "validation" or "test".
        batch_size: pictures a batch of this worker. Every batch has this size: the last one of an epoch is filled up
            with pictures that weigh 0, so that every replica always has work.
        image_size: side of the square crop in pixels; None for the whole stored picture.
        augment: random instead of central crops, and random horizontal flips.
        shuffle: a new random order every epoch, across all shards; None shuffles the train split only.
        seed: decides order and augmentation; the same seed gives the same batches.
        targets: which of `densecolor.dataset.TARGETS` to give; a model says which: `model.output_names`.
        worker_index, worker_count: read only this worker's share.
        repeat: go on with the next epoch for ever (give `fit` a `steps_per_epoch`), instead of one epoch an iteration.
        start_step: with `repeat`, the batch to begin with; a resumed training sees what it would have seen.
        classes: names of the classes whose pictures to read, and whose order gives the labels; None for all.
        on_damage: function of one line of text, told of each damaged shard and picture once; they are left out. None
            raises.
        sharding: "element" or "file", how workers share the pictures; see `densecolor.dataset.BatchReader`.
        replicas: give each batch in this many equal parts, one after the other; what the devices of one worker of
            several take from `tf.distribute.Strategy.distribute_datasets_from_function`.
        embedding: name of the network whose embeddings to give beside lightness, as densecolor-embed has computed them.
            They are of the whole stored picture, whatever is cropped or flipped.

    Returns:
        tf.data.Dataset of (inputs, targets, sample_weights), three dicts; inputs has `lightness`, float32
        (batch, S, S, 1) in [-1, 1], and `embedding`, float32 (batch, D), if asked for; targets `ab`, float32
        (batch, S, S, 2), and those asked for. Targets that the data lacks are filled and weigh 0. Its `cardinality()`
        is the number of steps an epoch (infinite with `repeat`).

    Raises:
        FileNotFoundError, ShardError: no such data, or options that do not fit it. A picture that turns out damaged
            while batches are read raises TensorFlow's own `tf.errors.OpError`, with our message inside.

    Example:
        >>> train = load("packed", "train", batch_size=16, augment=True, targets=model.output_names)
        >>> model.fit(train, validation_data=load("packed", "validation", targets=model.output_names), epochs=5)
    """
    reader = BatchReader(
        path,
        split,
        batch_size,
        image_size,
        augment,
        shuffle,
        seed,
        targets,
        worker_index,
        worker_count,
        classes,
        on_damage,
        sharding,
        embedding,
    )
    if repeat:
        places = tf.data.Dataset.range(start_step, np.iinfo(np.int64).max).map(
            lambda step: (step // reader.steps, step % reader.steps)
        )
    else:
        # A draw in place of the epoch's number: a new order whenever the data set is iterated again.
        draw = tf.data.Dataset.random(seed=seed, rerandomize_each_iteration=True).take(1)
        places = draw.flat_map(lambda epoch: tf.data.Dataset.range(reader.steps).map(lambda step: (epoch, step)))
    batches = places.map(
        lambda epoch, step: _read(reader, epoch, step),
        num_parallel_calls=available_cores(),
        deterministic=True,
    )
    if replicas > 1:
        batches = batches.flat_map(lambda *batch: tf.data.Dataset.from_tensor_slices(_parts(batch, replicas)))
    batches = batches.prefetch(2 * replicas)
    # Said even where it is endless: else several workers ask each other before every step whether all have one.
    steps = tf.data.INFINITE_CARDINALITY if repeat else reader.steps * replicas
    batches = batches.apply(tf.data.experimental.assert_cardinality(steps))
    return batches.with_options(_options())


def _read(reader, epoch, step):
    def read(epoch, step):
        return tf.nest.flatten(model_values(reader.read(epoch, step), reader.targets))

    specs = tf.nest.flatten(_element_spec(reader))
    tensors = tf.numpy_function(until_exit(read), [epoch, step], [spec.dtype for spec in specs], stateful=False)
    for tensor, spec in zip(tensors, specs, strict=True):
        tensor.set_shape(spec.shape)
    return tf.nest.pack_sequence_as(_element_spec(reader), tensors)


def _parts(batch, replicas):
    def split(tensor):
        return tf.reshape(tensor, (replicas, tensor.shape[0] // replicas, *tensor.shape[1:]))

    return tf.nest.map_structure(split, batch)


_CHANNELS = {
    "ab": 2,
    "ab_distribution": 2,
    "hue_chroma_distribution": 2,
    "lab": 3,
    "mask": 1,
    "masked_ab": 2,
    "masked_rgb": 3,
    "rgb": 3,
}


def _element_spec(reader):
    batch, side = reader.batch_size, reader.image_size
    targets = {name: tf.TensorSpec((batch, side, side, count), tf.float32) for name, count in _CHANNELS.items()}
    weights = {name: tf.TensorSpec((batch, 1, 1), tf.float32) for name in _CHANNELS}
    targets["label"] = tf.TensorSpec((batch,), tf.int32)
    weights["label"] = tf.TensorSpec((batch,), tf.float32)
    inputs = {"lightness": tf.TensorSpec((batch, side, side, 1), tf.float32)}
    if reader.embeddings is not None:
        inputs["embedding"] = tf.TensorSpec((batch, reader.embeddings.width), tf.float32)
    return (
        inputs,
        {name: targets[name] for name in reader.targets},
        {name: weights[name] for name in reader.targets},
    )


def _options():
    options = tf.data.Options()
    # The reader has taken this worker's share already.
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    # Ending an epoch waits for the autotuner's thread, which sleeps for ever longer: up to as long as the epoch took.
    options.autotune.enabled = False
    return options
