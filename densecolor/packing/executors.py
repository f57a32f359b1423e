"""Who does the work: this process, or several; the results are the same, and in the same order.

An executor is a context manager with `run(tasks)`, an iterator over `function(task)` in the order of the tasks.
"""

import collections
import concurrent.futures
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import resource_tracker

import cv2

from densecolor.errors import DensecolorError

TASKS_QUEUED = 2  # per process: one in work and one to go on with
RESULTS_WAITING = 16  # done, but not yet their turn; the bound keeps memory flat


def available_cores():
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def open_executor(function, workers):
    """An executor with `workers` processes, the calling one among them.

    Args:
        function: callable of one argument, picklable.
        workers: 1 or more.

    Example:
        >>> with open_executor(abs, workers=2) as executor:
        ...     print(list(executor.run([-1, -2, -3])))
        [1, 2, 3]
    """
    return InProcess(function) if workers == 1 else ProcessPool(function, workers)


class InProcess:
    """Do the work here, with one OpenCV thread."""

    def __init__(self, function):
        self._function = function

    def __enter__(self):
        self._threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        return self

    def __exit__(self, *error):
        cv2.setNumThreads(self._threads)

    def run(self, tasks):
        """Yield `function(task)` for every task."""
        return map(self._function, tasks)


class ProcessPool(InProcess):
    """Do the work here and in `workers` - 1 other processes.

    This process works too whenever no result waits to be taken: a new process needs a third of a second before it
    can begin. The others are started afresh, never forked, since the caller may have threads (TensorFlow has).
    """

    def __init__(self, function, workers):
        super().__init__(function)
        self._processes = workers - 1
        self._limit = RESULTS_WAITING + TASKS_QUEUED * self._processes
        self._pool = concurrent.futures.ProcessPoolExecutor(
            self._processes, multiprocessing.get_context("spawn"), initializer=_start_worker, initargs=(function,)
        )

    def __exit__(self, *error):
        self._pool.shutdown(cancel_futures=True)
        super().__exit__(*error)

    def run(self, tasks):
        """Yield `function(task)` for every task, in order.

        Raises:
            DensecolorError: a worker process died.
        """
        tasks = iter(tasks)
        waiting = collections.deque()  # futures in the order of their tasks
        try:
            with _ctrl_c_kept_back():
                for _ in range(self._processes):
                    self._pool.submit(os.getpid)  # starts one more process
            while self._hand_out(tasks, waiting):
                full = len(waiting) >= self._limit
                if not waiting[0].done() and not full and self._work_here(tasks, waiting):
                    continue
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise DensecolorError(
                "A worker process died, most likely for lack of memory: try again with fewer workers. (In a "
                'script, call this below `if __name__ == "__main__":`.)'
            ) from None

    def _hand_out(self, tasks, waiting):
        """Keep every process supplied; returns whether anything is under way."""
        unfinished = sum(not future.done() for future in waiting)
        wanted = min(TASKS_QUEUED * self._processes - unfinished, self._limit - len(waiting))
        for task in itertools.islice(tasks, max(0, wanted)):
            waiting.append(self._pool.submit(_work, task))
        return bool(waiting)

    def _work_here(self, tasks, waiting):
        """Do the next task in this process; returns whether there was one."""
        for task in itertools.islice(tasks, 1):
            future = concurrent.futures.Future()
            future.set_result(self._function(task))
            waiting.append(future)
            return True
        return False


@contextlib.contextmanager
def _ctrl_c_kept_back():
    """Let processes start undisturbed, and without ever seeing Ctrl-C, which a terminal sends to all alike.

    Their parent alone ends them, in order; a Ctrl-C that comes meanwhile reaches it at the end.
    """
    resource_tracker.ensure_running()  # it lifts the block when it starts, so that must be over
    came = []
    in_main_thread = threading.current_thread() is threading.main_thread()  # no other may set a handler, or needs one
    handler = signal.signal(signal.SIGINT, lambda *signal: came.append(signal)) if in_main_thread else None
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # new processes inherit this, but no handler
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        if in_main_thread:
            signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt


def _start_worker(function):
    global _function  # the pool gives a worker no other place to keep it between tasks
    _function = function
    cv2.setNumThreads(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent():
    multiprocessing.parent_process().join()
    os._exit(1)


def _work(task):
    return _function(task)
