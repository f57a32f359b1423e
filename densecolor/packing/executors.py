"""Who does the work: this process, several, or a Dask cluster (`densecolor.packing.cluster`).

An executor is a context manager with `run(tasks)`, an iterator over `function(task, advance)`, in the order in which
the tasks are done. `advance(n)` is called with the number of pictures each time that some are done. Leaving the `with`
block, for whatever reason, ends the work at once. The results are the same whoever does the work.
"""

import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from multiprocessing import resource_tracker

import cv2

from densecolor.errors import DensecolorError
from densecolor.interruption import DeferredInterrupt

TASKS_QUEUED = 2  # per process: one in work and one to go on with
POLL_SECONDS = 0.2  # how often the work of other processes is looked at, while this one has none


def open_executor(function, workers, advance):
    """An executor with `workers` processes, the calling one among them.

    Args:
        function: callable (task, advance), picklable.
        workers: 1 or more.
        advance: function (n), called in this process alone.

    Example:
        >>> with open_executor(encode, workers=2, advance=bar.update) as executor:
        ...     for written in executor.run(tasks):
        ...         print(written.count)
    """
    return InProcess(function, advance) if workers == 1 else ProcessPool(function, workers, advance)


class InProcess:
    """Do the work here, with one OpenCV thread."""

    def __init__(self, function, advance):
        self._function = function
        self._advance = advance

    def __enter__(self):
        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        return self

    def __exit__(self, *error):
        cv2.setNumThreads(self._threads)

    def run(self, tasks):
        """Yield `function(task, advance)` for every task."""
        return (self._function(task, self._advance) for task in tasks)


class ProcessPool(InProcess):
    """Do the work here and in `workers` - 1 other processes.

    This process works too whenever no result waits to be taken: a new process needs a third of a second before it
    can begin. The others are started afresh, never forked, since the caller may have threads (TensorFlow has).
    """

    def __init__(self, function, workers, advance):
        super().__init__(function, advance)
        self._processes = workers - 1
        context = multiprocessing.get_context("spawn")
        self._done_elsewhere = context.Value("q", 0)  # pictures
        self._reported = 0
        stopped, self._running = context.Pipe(duplex=False)  # the end of `_running` tells all processes to end
        self._pool = concurrent.futures.ProcessPoolExecutor(
            self._processes,
            context,
            initializer=_start_worker,
            initargs=(function, self._done_elsewhere, stopped),
        )

    def __exit__(self, error_type, *error):
        if error_type is not None:
            self._running.close()
        self._pool.shutdown(cancel_futures=True)
        self._running.close()
        super().__exit__()

    def run(self, tasks):
        """Yield `function(task, advance)` for every task, in whatever order they are done.

        Raises:
            DensecolorError: a worker process died.
        """
        tasks = iter(tasks)
        waiting = set()  # futures
        try:
            with _ctrl_c_kept_back():
                for _ in range(self._processes):
                    self._pool.submit(os.getpid)  # starts one more process
            while self._hand_out(tasks, waiting):
                done = {future for future in waiting if future.done()}
                if not done:
                    yield from self._work_here(tasks, waiting)
                waiting -= done
                for future in done:
                    yield future.result()
                self._report()
        except BrokenProcessPool:
            raise DensecolorError(
                "A worker process died, most likely for lack of memory: try again with fewer workers. (In a "
                'script, call this below `if __name__ == "__main__":`.)'
            ) from None

    def _hand_out(self, tasks, waiting):
        """Keep every process supplied; returns whether anything is under way."""
        for task in itertools.islice(tasks, TASKS_QUEUED * self._processes - len(waiting)):
            waiting.add(self._pool.submit(_work, task))
        return bool(waiting)

    def _work_here(self, tasks, waiting):
        """Do the next task in this process and yield its result; where there is none, wait for the others."""
        for task in itertools.islice(tasks, 1):
            yield self._function(task, self._advance_here)
            return
        concurrent.futures.wait(waiting, POLL_SECONDS, concurrent.futures.FIRST_COMPLETED)

    def _advance_here(self, count):
        self._advance(count)
        self._report()

    def _report(self):
        """Pass on what the other processes have done since the last time."""
        done = self._done_elsewhere.value
        if done > self._reported:
            self._advance(done - self._reported)
            self._reported = done


@contextlib.contextmanager
def _ctrl_c_kept_back():
    """Let processes start undisturbed, and without ever seeing Ctrl-C, which a terminal sends to all alike.

    Their parent alone ends them, in order; a Ctrl-C that comes meanwhile reaches it at the end.
    """
    resource_tracker.ensure_running()  # it lifts the block when it starts, so that must be over
    with DeferredInterrupt():
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit this, but no handler
        try:
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)


def _start_worker(function, done, stopped):
    global _function, _done  # the pool gives a worker no other place to keep them between tasks
    _function, _done = function, done
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, args=(stopped,), daemon=True).start()


def _end_with_parent(stopped):
    connection.wait([stopped, multiprocessing.parent_process().sentinel])
    os._exit(1)


def _work(task):
    return _function(task, _advance)


def _advance(count):
    with _done.get_lock():
        _done.value += count
