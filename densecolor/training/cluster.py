"""Which processes train together, and which of them this one is.

It describes the machines of the moment, not the run: a run may be resumed on other machines, and more or fewer.
"""

import dataclasses
import json
import os
import re

from densecolor.errors import TrainingError

SLURM_PORT = 8888  # of a node's first task; the next ones count up, as in TensorFlow's own SlurmClusterResolver
_HINT = "Give host:port of every worker, the same list in the same order to all of them."


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The workers of a run, and the place of this process among them.

    Args:
        workers: "host:port" of every worker, in the same order everywhere. The first one is the chief: it alone
            writes the run directory.
        index: this process's place in `workers`, from 0.

    Raises:
        TrainingError: an address is malformed or given twice, or the index is out of range.

    Example:
        >>> Cluster(("node1:2222", "node2:2222"), 1).address
        'node2:2222'
    """

    workers: tuple
    index: int

    def __post_init__(self):
        object.__setattr__(self, "workers", tuple(self.workers))
        if not self.workers:
            raise TrainingError(f"The list of workers is empty. {_HINT}")
        for worker in self.workers:
            split_address(worker)
        doubles = sorted({worker for worker in self.workers if self.workers.count(worker) > 1})
        if doubles:
            raise TrainingError(f"Worker {doubles[0]} is listed {self.workers.count(doubles[0])} times. {_HINT}")
        if not isinstance(self.index, int) or not 0 <= self.index < len(self.workers):
            raise TrainingError(
                f"The worker index must be from 0 to {len(self.workers) - 1}, for {len(self.workers)} worker(s). "
                f"Received: {self.index!r}."
            )

    @property
    def is_chief(self):
        """Whether this process writes the run directory."""
        return self.index == 0

    @property
    def address(self):
        """The "host:port" of this process."""
        return self.workers[self.index]

    @property
    def peers(self):
        """All other workers, a dict of index to "host:port"."""
        return {index: worker for index, worker in enumerate(self.workers) if index != self.index}

    @classmethod
    def from_environment(cls, environment=None):
        """What `TF_CONFIG` says; without it, what the variables of a SLURM step with several tasks say.

        Args:
            environment: mapping of variables; None for this process's own.

        Returns:
            Cluster, or None where neither describes one.

        Raises:
            TrainingError: `TF_CONFIG` or the SLURM variables are there, but are not what they should be.
        """
        environment = os.environ if environment is None else environment
        if environment.get("TF_CONFIG"):
            return _from_tf_config(environment["TF_CONFIG"])
        if int(environment.get("SLURM_STEP_NUM_TASKS") or 1) > 1:
            return _from_slurm(environment)
        return None


def find_cluster(strategy):
    """The workers that TF_CONFIG or SLURM describe, where a strategy may use them.

    Args:
        strategy: as in `TrainConfig`.

    Returns:
        Cluster, or None.

    Raises:
        TrainingError: what they say is malformed.
    """
    return Cluster.from_environment() if strategy in ("auto", "multiworker") else None


def split_address(address):
    """Host and port of "host:port"; an IPv6 host stands in brackets.

    Returns:
        (str, int).

    Raises:
        TrainingError: it is not of that form.
    """
    match = re.fullmatch(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):(\d{1,5})", address if isinstance(address, str) else "")
    if match is None or not 0 < int(match[2]) < 2**16:
        raise TrainingError(f"A worker must be host:port, such as node1:2222. Received: {address!r}. {_HINT}")
    return match[1].strip("[]"), int(match[2])


def _from_tf_config(text):
    form = '{"cluster": {"worker": ["node1:2222", "node2:2222"]}, "task": {"type": "worker", "index": 0}}'
    try:
        config = json.loads(text)
    except ValueError as error:
        raise TrainingError(f"TF_CONFIG is not JSON ({error}). It must be like {form}; or unset it.") from None
    try:
        if not config.get("cluster"):
            return None  # as TensorFlow: a process by itself
        jobs, task = config["cluster"], config["task"]
        kind, index = task["type"], int(task["index"])
        if set(jobs) - {"chief", "worker"} or kind not in jobs:
            raise TrainingError(
                f"TF_CONFIG may list the jobs chief and worker, and its task must be one of them. Received: jobs "
                f"{', '.join(sorted(jobs))}, task {kind!r}. Parameter servers and evaluators are not used."
            )
        chiefs, workers = list(jobs.get("chief", [])), list(jobs.get("worker", []))
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        if isinstance(error, TrainingError):
            raise
        raise TrainingError(f"TF_CONFIG must be like {form}. Received: {text}") from None
    own = chiefs if kind == "chief" else workers
    if not 0 <= index < len(own):
        raise TrainingError(
            f"The index of TF_CONFIG's task must be from 0 to {len(own) - 1}, for {len(own)} {kind}(s). "
            f"Received: {index}."
        )
    return Cluster((*chiefs, *workers), index if kind == "chief" else len(chiefs) + index)


def _from_slurm(environment):
    # Not SlurmClusterResolver itself: it sorts hosts as text (node10 before node9, so that ranks and addresses no
    # longer belong together), and fails on nodes without GPUs. How it reads the variables is right.
    from tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver import expand_hostlist
    from tensorflow.python.distribute.cluster_resolver.slurm_cluster_resolver import expand_tasks_per_node

    try:
        hosts = expand_hostlist(environment["SLURM_STEP_NODELIST"])
        tasks = expand_tasks_per_node(environment["SLURM_STEP_TASKS_PER_NODE"])
        rank, count = int(environment["SLURM_PROCID"]), int(environment["SLURM_STEP_NUM_TASKS"])
    except (KeyError, ValueError) as error:
        raise TrainingError(
            f"The variables of the SLURM step are not complete ({error}). Start the tasks with srun, or give --workers "
            "and --worker-index."
        ) from None
    workers = [
        f"{host}:{SLURM_PORT + place}" for host, number in zip(hosts, tasks, strict=False) for place in range(number)
    ]
    if len(workers) != count:
        raise TrainingError(
            f"SLURM says {count} tasks, and {len(workers)} on the nodes {environment['SLURM_STEP_NODELIST']}. "
            "Give --workers and --worker-index."
        )
    return Cluster(tuple(workers), rank)
