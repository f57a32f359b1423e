"""Sums, means and random numbers over the batch of all replicas; each replica computes with its share of the rows.

All of this is called inside a step, in a replica's context; on a single device its context is that of one replica.
"""

import tensorflow as tf


def average(losses, weights):
    """This replica's share of the weighted mean over all rows: Keras adds up the gradients of all shares.

    Args:
        losses: (rows,).
        weights: (rows,), 0 for padding.
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return tf.reduce_mean(losses * weights) / replicas


def whole_mean(values, weights):
    """The weighted mean over the rows of all replicas; gradients pass through it.

    Args:
        values: (rows,).
        weights: (rows,).

    Returns:
        scalar; 0 where no row weighs anything.
    """
    total, weight = _sum_over_replicas([tf.reduce_sum(values * weights), tf.reduce_sum(weights)])
    return tf.math.divide_no_nan(total, weight)


def whole_gradients(gradients):
    """The gradients of the batch of all replicas.

    Args:
        gradients: list of tensors, this replica's shares; None where a variable is not connected.
    """
    summed = iter(_sum_over_replicas([gradient for gradient in gradients if gradient is not None]))
    return [None if gradient is None else next(summed) for gradient in gradients]


def global_rows(count):
    """Where this replica's rows stand in the batch of all replicas, so that what is drawn for a row is its own.

    Replicas of one process have consecutive rows, workers every so many-th (see `BatchReader`, sharding "element").

    Args:
        count: int, rows of each replica.

    Returns:
        int (count,)
    """
    return _rows_of(tf.distribute.get_replica_context().replica_id_in_sync_group, count)


def uniform(seed, count):
    """Numbers in [0, 1) for the rows of this replica: the same for a picture on however many replicas.

    Args:
        seed: int (2,).
        count: int, rows of this replica.

    Returns:
        float32 (count,)
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    return tf.gather(tf.random.stateless_uniform([replicas * count], seed), global_rows(count))


def gather_rows(values):
    """The rows of all replicas in their order in the batch.

    Args:
        values: (rows, ...).

    Returns:
        (all rows, ...)
    """
    replicas = tf.distribute.get_strategy().num_replicas_in_sync
    if replicas == 1:
        return values
    together = tf.distribute.get_replica_context().all_gather(values, axis=0)
    places = tf.concat([_rows_of(replica, values.shape[0]) for replica in range(replicas)], axis=0)
    return tf.gather(together, tf.argsort(places))


def clip_weights(variables, bound):
    """Clip variables to [-bound, bound], on all replicas.

    Args:
        variables: list of Keras variables.
        bound: float.
    """

    def clip(strategy):
        for variable in variables:
            strategy.extended.update(
                variable.value, lambda value: value.assign(tf.clip_by_value(value, -bound, bound)), group=False
            )

    tf.distribute.get_replica_context().merge_call(clip)


def _sum_over_replicas(values):
    if tf.distribute.get_strategy().num_replicas_in_sync == 1:
        return values
    return tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, values)


def _rows_of(replica, count):
    strategy = tf.distribute.get_strategy()
    workers = 1
    if isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        workers = strategy.cluster_resolver.cluster_spec().num_tasks("worker")
    devices = strategy.num_replicas_in_sync // workers
    worker, device = replica // devices, replica % devices
    return (device * count + tf.range(count)) * workers + worker
