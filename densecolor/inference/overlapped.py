"""Work in threads around one network, which stays in the thread that asked for the work.

Each thread takes one picture from decoding to encoding; whenever it needs the network it hands its input over and
waits. So while the network works on one picture others are decoded, converted and encoded, and never more pictures
are in memory than there are threads. The network is called from one thread alone: the caller's, where Keras, its
backend and their settings are at home, and where Ctrl-C arrives.
"""

import concurrent.futures
import queue
import threading

POLL_SECONDS = 0.5  # how soon a thread that waits for the network sees that the work has ended
_ENDED = object()


class Stopped(BaseException):
    """Raised in a worker thread where the work as a whole has ended early; no handler of errors may catch it."""


class Overlapped:
    """Threads that work off tasks, and a thread that serves them.

    Args:
        threads: int, how many.

    Example:
        >>> overlapped = Overlapped(threads=3)
        >>> model = overlapped.serve(model)  # for colorize_one to call
        >>> for result in overlapped.run(colorize_one, paths):
        ...     print(result)
    """

    def __init__(self, threads):
        self._threads = threads
        self._queue = queue.SimpleQueue()
        self._stop = threading.Event()

    def serve(self, model):
        """The model as the threads may call it: an object with its name, sizes and `predict_on_batch`."""
        return _Served(model, self._ask)

    def check(self):
        """End the calling thread's task if the work has ended early; for use between its steps.

        Raises:
            Stopped: it has.
        """
        if self._stop.is_set():
            raise Stopped

    def run(self, function, tasks):
        """Yield `function(task)` for every task, in the order in which they are done.

        The function is called in the threads; what it raises ends the whole work. Leaving the loop, for whatever
        reason, lets every thread end at its next step and waits for that.
        """
        tasks, lock = iter(tasks), threading.Lock()
        workers = [threading.Thread(target=self._work, args=(function, tasks, lock)) for _ in range(self._threads)]
        try:
            for worker in workers:
                worker.start()
            running = len(workers)
            while running:
                kind, content = self._queue.get()
                if kind == "call":
                    _answer(*content)
                elif kind == "done":
                    yield content
                else:
                    running -= 1
                    if content is not None:
                        raise content
        finally:
            self._stop.set()
            for worker in workers:
                if worker.ident is not None:
                    worker.join()

    def _work(self, function, tasks, lock):
        failure = None
        try:
            while not self._stop.is_set():
                with lock:
                    task = next(tasks, _ENDED)
                if task is _ENDED:
                    break
                self._queue.put(("done", function(task)))
        except Stopped:
            pass
        except BaseException as error:
            failure = error
        self._queue.put(("ended", failure))

    def _ask(self, function, *arguments):
        self.check()
        reply = concurrent.futures.Future()
        self._queue.put(("call", (function, arguments, reply)))
        while not concurrent.futures.wait([reply], POLL_SECONDS).done:
            self.check()  # the thread that serves may have been torn away by Ctrl-C at any moment
        return reply.result()


class _Served:
    """A model whose predictions are made in the thread that serves."""

    def __init__(self, model, ask):
        self._model = model
        self._ask = ask

    def predict_on_batch(self, inputs):
        return self._ask(self._model.predict_on_batch, inputs)

    def __getattr__(self, name):
        return getattr(self._model, name)


def _answer(function, arguments, reply):
    try:
        reply.set_result(function(*arguments))
    except Exception as error:
        reply.set_exception(error)
