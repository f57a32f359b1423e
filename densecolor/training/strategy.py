"""The tf.distribute strategy of a run."""

import tensorflow as tf

from densecolor.errors import TrainingError


def make_strategy(name, batch_size):
    """Choose the devices to train on.

    Args:
        name: "one" (a single device), "mirrored" (all GPUs of this machine; without GPUs, all its logical CPU
            devices) or "auto" (mirrored where there are several GPUs, otherwise one).
        batch_size: pictures a step over all replicas.

    Returns:
        tf.distribute.Strategy.

    Raises:
        TrainingError: the batch does not divide evenly over the replicas.
    """
    gpus = tf.config.list_logical_devices("GPU")
    if name == "one" or (name == "auto" and len(gpus) < 2):
        return tf.distribute.get_strategy()
    devices = [device.name for device in gpus or tf.config.list_logical_devices("CPU")]
    if batch_size % len(devices):
        lower = batch_size - batch_size % len(devices)
        raise TrainingError(
            f"A batch of {batch_size} does not divide over {len(devices)} devices. "
            f"Use {lower or len(devices)} or {lower + len(devices)}."
        )
    return tf.distribute.MirroredStrategy(devices)
