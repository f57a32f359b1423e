"""Whether the other workers are there: waiting for them at the start, and noticing when one is lost.

TensorFlow itself waits for ever at both places. A worker is there when its port accepts connections.
"""

import contextlib
import os
import re
import socket
import sys
import threading
import time

from densecolor.errors import TrainingError
from densecolor.training.cluster import split_address

CHECK_EVERY = 2  # seconds between two looks at the others
CONNECT_TIMEOUT = 5  # seconds
LOST_AFTER = 10  # seconds without an answer, after which a worker counts as lost
LOST_AT_START_AFTER = 120  # the same while TensorFlow takes over the ports and looks for GPUs
GRACE = 3  # seconds that the port of a worker may outlive its connections
FAILED = 1  # exit status


def wait_for_peers(cluster, timeout, report=lambda line: None):
    """Wait until every worker of the cluster has been started; each listens at its own port meanwhile.

    Args:
        cluster: Cluster.
        timeout: seconds.
        report: function of one line of text; told whom we wait for.

    Raises:
        TrainingError: this worker's port is taken, or some worker was not there in time.
    """
    missing = dict(cluster.peers)
    end = time.monotonic() + timeout
    with _listening(cluster.address):
        said = False
        while True:
            missing = {index: address for index, address in missing.items() if not answers(address)}
            if not missing:
                return
            if time.monotonic() >= end:
                raise TrainingError(
                    f"{_names(missing)} did not answer within {timeout:g} seconds. Start it with the same list of "
                    "workers and its own index, see that its port can be reached from here, or wait longer "
                    "(--worker-timeout)."
                )
            if not said:
                report(f"Waiting up to {timeout:g} seconds for {_names(missing)}.")
                said = True
            time.sleep(min(0.2, max(0, end - time.monotonic())))


def answers(address):
    """Whether something listens at "host:port"."""
    try:
        socket.create_connection(split_address(address), CONNECT_TIMEOUT).close()
    except OSError:
        return False
    return True


class PeerWatch:
    """A thread that ends this process, with exit status 1 and one line on stderr, when another worker is lost.

    TensorFlow's collective operations cannot be left once a worker is gone, so there is no exception to raise.

    Args:
        cluster: Cluster.
    """

    def __init__(self, cluster):
        self._cluster = cluster
        self._patience = LOST_AT_START_AFTER
        self._last_seen = dict.fromkeys(cluster.peers, time.monotonic())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="densecolor-peers", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()

    def started(self):
        """All workers run now: from here on a silence of 10 seconds is a loss."""
        self._last_seen = dict.fromkeys(self._cluster.peers, time.monotonic())
        self._patience = LOST_AFTER

    def error_of_loss(self, message):
        """An error that names the workers that are lost, for when a collective operation failed.

        Args:
            message: of TensorFlow's error.

        Returns:
            TrainingError, or None where all workers answer and the message blames none.
        """
        end = time.monotonic() + GRACE
        while time.monotonic() < end:
            silent = {index: address for index, address in self._cluster.peers.items() if not answers(address)}
            if silent:
                return TrainingError(_message_of_loss(silent))
            time.sleep(GRACE / 10)
        # A machine that hangs still accepts connections; TensorFlow misses its heartbeats.
        blamed = {int(index) for index in re.findall(r"/job:worker(?:/replica:0)?/task:(\d+)", message)}
        frozen = {index: address for index, address in self._cluster.peers.items() if index in blamed}
        if frozen or re.search("[Hh]eartbeat|Collective ops is aborted", message):
            return TrainingError(_message_of_loss(frozen or self._cluster.peers, " or ".join))
        return None

    def _run(self):
        while not self._stop.wait(CHECK_EVERY):
            for index, address in self._cluster.peers.items():
                if answers(address):
                    self._last_seen[index] = time.monotonic()
            lost = {
                index: address
                for index, address in self._cluster.peers.items()
                if time.monotonic() - self._last_seen[index] > self._patience
            }
            if lost and not self._stop.is_set():
                sys.stdout.flush()
                print(f"error: {_message_of_loss(lost)}", file=sys.stderr, flush=True)
                os._exit(FAILED)  # the main thread waits inside TensorFlow and cannot be reached


@contextlib.contextmanager
def _listening(address):
    """Hold the port of this worker open, until TensorFlow's own server takes it over."""
    _, port = split_address(address)
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("", port))
        except OSError as error:
            raise TrainingError(
                f"Port {port} of this worker ({address}) cannot be used: {error.strerror}. Choose another one, and see "
                "that no earlier worker still runs here and that each worker has an index of its own."
            ) from None
        listener.listen(128)
        yield


def _names(workers, join=" and ".join):
    return join(f"worker {index} ({address})" for index, address in workers.items())


def _message_of_loss(workers, join=" and ".join):
    return (
        f"Lost {_names(workers, join)}: it was stopped, failed (see its own output), hangs, or cannot be reached any "
        "more. Start all workers again with --resume."
    )
