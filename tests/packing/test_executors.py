import os
import signal
import time

import cv2
import pytest

from densecolor.cores import available_cores
from densecolor.errors import DensecolorError
from densecolor.packing.executors import TASKS_QUEUED
from densecolor.packing.executors import open_executor


def square_and_process(number, advance):
    advance(2)
    return number**2, os.getpid(), cv2.getNumThreads()


def fail_at_five(number, advance):
    if number == 5:
        raise ValueError("five")
    return number


class DieElsewhere:
    """Ends every process but the one that made it."""

    def __init__(self):
        self.home = os.getpid()

    def __call__(self, number, advance):
        if os.getpid() != self.home:
            os.kill(os.getpid(), signal.SIGKILL)


def is_running(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def sleep_elsewhere(home, advance):
    if os.getpid() != home:
        time.sleep(3600)
    return home


def ignore(count):
    pass


@pytest.mark.parametrize("workers", [1, 3])
def test_every_result_comes_once_and_processes_end(workers):
    threads = cv2.getNumThreads()
    advanced = []
    with open_executor(square_and_process, workers, advanced.append) as executor:
        results = list(executor.run(range(2000)))
    assert sorted(square for square, _, _ in results) == [number**2 for number in range(2000)]
    assert sum(advanced) == 4000
    assert {count for _, _, count in results} == {1}
    processes = {process for _, process, _ in results} - {os.getpid()}
    assert not any(is_running(process) for process in processes)
    assert cv2.getNumThreads() == threads


def test_tasks_are_taken_only_as_they_can_be_done():
    taken = 0

    def tasks():
        nonlocal taken
        while taken < 1000:
            taken += 1
            yield taken

    with open_executor(square_and_process, 2, ignore) as executor:
        for done, _ in enumerate(executor.run(tasks())):
            assert taken <= done + 2 * TASKS_QUEUED + 1


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_reaches_the_caller(workers):
    with pytest.raises(ValueError, match="five"), open_executor(fail_at_five, workers, ignore) as executor:
        list(executor.run(range(100)))


def test_a_process_that_dies_is_an_error_that_says_so():
    with (
        pytest.raises(DensecolorError, match=r"A worker process died.*fewer workers"),
        open_executor(DieElsewhere(), 2, ignore) as executor,
    ):
        list(executor.run(range(10**9)))


def test_an_error_ends_work_that_would_go_on_for_an_hour():
    def work():
        with open_executor(sleep_elsewhere, 2, ignore) as executor:
            for done, _ in enumerate(executor.run([os.getpid()] * 1000)):
                if done == 900:
                    raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()


def test_available_cores():
    assert 1 <= available_cores() <= os.cpu_count()
