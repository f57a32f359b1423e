import itertools
import threading
import time

import pytest

from densecolor.inference.overlapped import Overlapped
from densecolor.inference.overlapped import Stopped
from densecolor.inference.pixel_budget import PixelBudget


class Doubler:
    """A model that says who calls it."""

    name = "doubler"

    def __init__(self):
        self.callers = set()

    def predict_on_batch(self, inputs):
        self.callers.add(threading.current_thread())
        if inputs < 0:
            raise ValueError("negative")
        return 2 * inputs


@pytest.mark.parametrize("threads", [1, 3, 20])
def test_the_model_is_called_where_the_work_was_asked_for(threads):
    model, overlapped = Doubler(), Overlapped(threads)
    served = overlapped.serve(model)
    assert served.name == "doubler"
    workers = set()

    def work(number):
        workers.add(threading.current_thread())
        return number, served.predict_on_batch(number)

    assert sorted(overlapped.run(work, range(50))) == [(number, 2 * number) for number in range(50)]
    assert model.callers == {threading.main_thread()}
    assert threading.main_thread() not in workers
    assert not any(worker.is_alive() for worker in workers)


def test_what_the_model_raises_reaches_the_task_that_asked():
    overlapped = Overlapped(2)
    served = overlapped.serve(Doubler())

    def work(number):
        try:
            return served.predict_on_batch(number)
        except ValueError as error:
            return str(error)

    assert sorted(map(str, overlapped.run(work, [1, -1, 2]))) == ["2", "4", "negative"]


def test_while_the_network_works_others_prepare():
    """Two tasks reach their second step only if a third waits in the network meanwhile."""
    prepared = threading.Barrier(2, timeout=60)

    class Slow:
        def predict_on_batch(self, inputs):
            prepared.wait()  # a task that does not ask for the network must get here too
            return inputs

    overlapped = Overlapped(2)
    served = overlapped.serve(Slow())

    def work(task):
        return served.predict_on_batch(task) if task == "network" else prepared.wait() >= 0

    assert set(overlapped.run(work, ["network", "files"])) == {"network", True}


@pytest.mark.parametrize("reason", [KeyboardInterrupt, RuntimeError, GeneratorExit])
def test_leaving_early_ends_all_threads(reason):
    overlapped = Overlapped(4)
    served = overlapped.serve(Doubler())
    workers, begun, stopped = set(), [], []

    def work(number):
        workers.add(threading.current_thread())
        begun.append(number)
        try:
            return served.predict_on_batch(number)
        except Stopped:
            stopped.append(number)
            raise

    running = overlapped.run(work, itertools.count())
    next(running)
    if reason is GeneratorExit:
        running.close()
    else:
        with pytest.raises(reason):
            running.throw(reason)
    assert not any(worker.is_alive() for worker in workers)
    with pytest.raises(Stopped):
        overlapped.check()


def test_a_defect_in_a_task_ends_the_work():
    def work(number):
        return 1 / (number - 3)

    with pytest.raises(ZeroDivisionError):
        list(Overlapped(2).run(work, itertools.count()))


def test_pixels_in_work_stay_within_the_budget():
    budget, lock = PixelBudget(100), threading.Lock()
    now = most = 0

    def work(pixels):
        nonlocal now, most
        with budget.taken(pixels):
            with lock:
                now += min(pixels, 100)
                most = max(most, now)
            time.sleep(0.001)
            with lock:
                now -= min(pixels, 100)

    list(Overlapped(8).run(work, [40, 30, 500, 20, 100, 1, 60, 39] * 10))
    assert now == 0
    assert most <= 100
