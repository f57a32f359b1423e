"""Let a process end while an iterator that reads ahead is still alive.

Python destroys such an iterator when it ends, and TensorFlow then waits for the threads that read for it; but a thread
that needs Python, which is ending, gets nowhere, and both wait for ever. So reading stops before Python ends: from
then on every read fails at once, until what was to be read ahead has failed and no thread asks any more.
"""

import atexit
import threading
import time

_QUIET_SECONDS = 0.5  # without a call: threads that still had one to make would have made it long ago


class _Calls:
    """Counts the calls that run, and lets none through once the process ends."""

    def __init__(self):
        self._changed = threading.Condition()
        self._running = 0
        self._is_ending = False
        self._last = float("-inf")  # when a call last began or ended

    def __enter__(self):
        with self._changed:
            self._last = time.monotonic()
            if self._is_ending:
                raise StopIteration  # which TensorFlow does not report as an error
            self._running += 1

    def __exit__(self, *error):
        with self._changed:
            self._running -= 1
            self._last = time.monotonic()
            self._changed.notify_all()

    def end(self):
        """Wait for the calls that run, and then until no more come."""
        with self._changed:
            self._is_ending = True
            while (rest := self._last + _QUIET_SECONDS - time.monotonic()) > 0 or self._running:
                self._changed.wait(max(rest, 0.01))


_calls = _Calls()
atexit.register(_calls.end)


def until_exit(function):
    """A function for TensorFlow's threads to call that stops working when the process ends.

    Args:
        function: any callable.

    Returns:
        the same, which raises StopIteration from then on.
    """

    def call(*arguments):
        with _calls:
            return function(*arguments)

    return call
