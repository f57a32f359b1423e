"""TensorFlow's threads: how many share a sum decides its last bits."""

import tensorflow as tf

from densecolor.errors import TrainingError


def set_threads(count):
    """Fix the size of TensorFlow's thread pools.

    Args:
        count: threads.

    Raises:
        TrainingError: this process has used TensorFlow already, with another number.
    """
    if tf.config.threading.get_intra_op_parallelism_threads() == count:
        return
    try:
        tf.config.threading.set_intra_op_parallelism_threads(count)
        tf.config.threading.set_inter_op_parallelism_threads(count)
    except RuntimeError:
        raise TrainingError(
            f"`threads`={count} cannot be set (`deterministic` sets it too) once TensorFlow is at work in a process. "
            "Train in a new process, or restart the notebook."
        ) from None
