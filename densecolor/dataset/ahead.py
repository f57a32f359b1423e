"""Threads that read the next batches while the last one is in use."""

import concurrent.futures
import threading


class ReadAhead:
    """Batches by epoch and step; while they are asked for in order, threads read those that follow.

    Every batch is made anew for the one who asks, and belongs to nobody else: frameworks keep NumPy arrays as they are
    for as long as they need them.

    Args:
        read: function (epoch, step) that gives a batch; threads call it at the same time.
        steps: batches an epoch.
        threads: how many read ahead.
        depth: batches ahead.

    Example:
        >>> ahead = ReadAhead(reader.read, reader.steps, threads=2, depth=4)
        >>> ahead.get(0, 0).L.shape
        (32, 256, 256)
    """

    def __init__(self, read, steps, threads, depth):
        self._read = read
        self._steps = steps
        self._threads = threads
        self._depth = depth
        self._forget()

    def get(self, epoch, step):
        """The batch of this epoch and step; raises what reading it raised."""
        with self._lock:
            future = self._waiting.pop((epoch, step), None)
            if future is None:
                while self._waiting:  # of an order that is not followed
                    self._waiting.popitem()[1].cancel()
            if step == 0 or future is not None or (epoch, step - 1) == self._last:
                self._submit(epoch, range(step + 1, min(step + 1 + self._depth, self._steps)))
            self._last = (epoch, step)
        return self._read(epoch, step) if future is None else future.result()

    def _submit(self, epoch, steps):
        if self._pool is None:
            self._pool = concurrent.futures.ThreadPoolExecutor(self._threads, "densecolor-read-ahead")
        for step in steps:
            if (epoch, step) not in self._waiting:
                self._waiting[epoch, step] = self._pool.submit(self._read, epoch, step)

    def _forget(self):
        self._waiting = {}  # (epoch, step) -> future
        self._last = None
        self._pool = None
        self._lock = threading.Lock()

    def __getstate__(self):
        kept = ("_read", "_steps", "_threads", "_depth")
        return {name: vars(self)[name] for name in kept}

    def __setstate__(self, state):
        vars(self).update(state)
        self._forget()
