"""Open files of which only so many may be open at a time."""

import collections
import threading

MAX_OPEN = 64  # Places has thousands of shards


class OpenFiles:
    """Files by number, opened when they are first asked for; it can be pickled, and then opens them anew.

    Args:
        open_file: function of a number that opens its file; picklable if this is to be.
        limit: how many are kept open; None for all.
    """

    def __init__(self, open_file, limit=MAX_OPEN):
        self._open_file = open_file
        self._limit = limit
        self._forget()

    def get(self, number):
        """The open file with this number."""
        with self._lock:
            if number in self._open:
                self._open.move_to_end(number)
                return self._open[number]
            file = self._open[number] = self._open_file(number)
            if self._limit is not None and len(self._open) > self._limit:
                # Not closed here: another thread may still read from it; the file closes with its last user.
                self._open.popitem(last=False)
            return file

    def _forget(self):
        self._open = collections.OrderedDict()
        self._lock = threading.Lock()

    def __getstate__(self):
        return {"_open_file": self._open_file, "_limit": self._limit}

    def __setstate__(self, state):
        vars(self).update(state)
        self._forget()
