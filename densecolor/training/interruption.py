"""Ctrl-C and SIGTERM, heard but not obeyed before the step in work is done and the state is saved."""

import signal
import threading


class Interruption:
    """Remember that the run was asked to stop; use it in a `with` statement around training.

    The first signal only sets `signal`; a second one of the same kind does what it did before, so that nobody has to
    wait. A signal that the process ignores, as jobs in the background do with Ctrl-C, stays ignored. Outside of the
    main thread, where Python takes no signals, nothing is heard.

    Attributes:
        signal: `signal.SIGTERM`, `signal.SIGINT`, or None.

    Example:
        >>> with Interruption() as interruption:
        ...     model.fit(data, callbacks=[KeepState(..., interruption=interruption)])
    """

    def __init__(self):
        self.signal = None
        self._before = {}

    def __enter__(self):
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                if signal.getsignal(number) not in (signal.SIG_IGN, None):
                    self._before[number] = signal.signal(number, self._hear)
        return self

    def __exit__(self, *error):
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def stop(self):
        """End the run as the signal would have: KeyboardInterrupt (exit status 130), or SystemExit with status 143."""
        if self.signal == signal.SIGINT:
            raise KeyboardInterrupt
        raise SystemExit(128 + self.signal)

    def _hear(self, number, frame):
        self.signal = signal.Signals(number)
        signal.signal(number, self._before[number])
