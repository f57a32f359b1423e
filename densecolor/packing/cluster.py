"""The work done by a Dask cluster that exists already, on machines that share the source's and OUT's file systems."""

import itertools
import os

import cv2

import densecolor
from densecolor.errors import DensecolorError
from densecolor.errors import require_package

CONNECT_SECONDS = 10
TASKS_QUEUED = 2  # per thread of the cluster: one in work and one to go on with


class Cluster:
    """An executor (see `densecolor.packing.executors`) that hands its tasks to a Dask scheduler.

    Args:
        function: callable (task, advance), picklable.
        address: of the scheduler, such as "tcp://10.0.0.1:8786".
        advance: function (n), called in this process.
        shared_folder: a folder that every worker must see as this process does.

    Raises:
        DensecolorError: on entering, the scheduler does not answer, has no workers, or has some that do not see the
            shared folder or run another version of densecolor.
    """

    def __init__(self, function, address, advance, shared_folder):
        self._function = function
        self._address = address
        self._advance = advance
        self._shared_folder = shared_folder
        self._futures = {}  # future -> task

    def __enter__(self):
        distributed = require_package("distributed", "cluster")
        try:
            self._client = distributed.Client(self._address, timeout=CONNECT_SECONDS, set_as_default=False)
        except (OSError, ValueError) as error:
            raise DensecolorError(
                f"There is no Dask scheduler at {self._address} ({error}). Start one with `dask scheduler`, or check "
                "the address."
            ) from None
        try:
            self._check_workers()
        except BaseException:
            self._client.close()
            raise
        return self

    def __exit__(self, error_type, *error):
        if error_type is not None:
            self._client.cancel(list(self._futures))
        self._client.close()

    def run(self, tasks):
        """Yield `function(task, advance)` for every task, in whatever order they are done.

        Raises:
            DensecolorError: the connection to the scheduler or too many workers were lost.
        """
        from distributed import CancelledError
        from distributed import KilledWorker
        from distributed import as_completed

        tasks = iter(tasks)
        limit = TASKS_QUEUED * sum(self._client.nthreads().values())
        first = [self._submit(task) for task in itertools.islice(tasks, limit)]
        completed = as_completed(first, loop=self._client.loop)
        try:
            for future in completed:
                result = future.result()
                self._advance(len(self._futures.pop(future).items))
                for task in itertools.islice(tasks, 1):
                    completed.add(self._submit(task))
                yield result
        except (CancelledError, KilledWorker) as error:
            raise DensecolorError(
                f"The Dask cluster at {self._address} has lost its workers or its scheduler ({type(error).__name__}), "
                "most likely for lack of memory. Give the same command again to go on."
            ) from None

    def _submit(self, task):
        future = self._client.submit(_work, self._function, task, pure=False)
        self._futures[future] = task
        return future

    def _check_workers(self):
        answers = self._client.run(_look, str(self._shared_folder))
        if not answers:
            raise DensecolorError(f"The Dask scheduler at {self._address} has no workers. Start some: `dask worker`.")
        for worker, (version, sees_folder) in answers.items():
            if version != densecolor.__version__:
                raise DensecolorError(
                    f"The Dask worker {worker} has densecolor {version}, this process {densecolor.__version__}. "
                    "Install the same version everywhere."
                )
            if not sees_folder:
                raise DensecolorError(
                    f"The Dask worker {worker} does not see {self._shared_folder}. Source and OUT must have the same "
                    "paths on all machines."
                )


def _look(folder):
    return densecolor.__version__, os.path.isdir(folder)


def _work(function, task):
    cv2.setNumThreads(1)
    return function(task, _ignore)


def _ignore(count):
    """Progress is counted by whole tasks: workers have no way to tell the client sooner."""
