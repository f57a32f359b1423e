"""What `densecolor-train` makes of the texts of some options."""

import json

from densecolor.errors import TrainingError


def parse_cluster(workers, worker_index):
    """The cluster of --workers and --worker-index.

    Args:
        workers: str, host:port with commas, or None.
        worker_index: int, or None.

    Returns:
        `densecolor.training.Cluster`; None where neither is given.

    Raises:
        TrainingError: one is given without the other, or they do not fit.
    """
    from densecolor.training import Cluster

    if workers is None and worker_index is None:
        return None
    if workers is None or worker_index is None:
        raise TrainingError("--workers and --worker-index belong together: the whole list, and this one's place in it.")
    return Cluster([worker.strip() for worker in workers.split(",")], worker_index)


def parse_option(text):
    """NAME=VALUE as a pair; the value is JSON, or else a plain word.

    Raises:
        TrainingError: there is no equals sign.

    Example:
        >>> parse_option("joint=true"), parse_option("branch=vgg19")
        (('joint', True), ('branch', 'vgg19'))
    """
    name, separator, value = text.partition("=")
    if not separator:
        raise TrainingError(f"--option wants NAME=VALUE. Received: {text!r}.")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value  # a plain word, such as branch=vgg19
