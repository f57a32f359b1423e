"""Ctrl-C that waits where an exception at any moment would do harm."""

import signal
import threading


class DeferredInterrupt:
    """Keep Ctrl-C back in a `with` block: it comes at the next `check`, or at the block's end.

    HDF5 writes shards through Python (see `densecolor.shards.storage`) and crashes where an exception comes out of
    there. Python may raise KeyboardInterrupt before any line of it, so whatever writes shards must be in such a block.

    Threads other than the main one never see Ctrl-C; there, and where Ctrl-C is ignored or ends the process, nothing is
    done.

    Example:
        >>> with DeferredInterrupt() as interrupt:
        ...     for block in blocks:
        ...         writer.append(*block)
        ...         interrupt.check()
    """

    def __enter__(self):
        self._came = False
        self._handler = None
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler) and threading.current_thread() is threading.main_thread():
            self._handler = handler
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, error_type, *error):
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        if error_type is None:
            self.check()

    def check(self):
        """Let the Ctrl-C that has come take effect: raise KeyboardInterrupt, unless the caller had other plans."""
        if self._came:
            self._came = False
            self._handler(signal.SIGINT, None)

    def _note(self, *signal):
        self._came = True
