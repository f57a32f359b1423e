import signal
import threading

import pytest

from densecolor.interruption import DeferredInterrupt


def interrupt(steps, outer_check=False, error=None):
    """Send Ctrl-C inside two blocks, and say how far it got."""
    with DeferredInterrupt() as outer:
        with DeferredInterrupt():
            signal.raise_signal(signal.SIGINT)
            steps.append("inner block")
        steps.append("outer block")
        if outer_check:
            outer.check()
        if error is not None:
            raise error
        steps.append("end")
    steps.append("after")


@pytest.mark.parametrize(
    ("options", "error", "reached"),
    [
        ({}, KeyboardInterrupt, ["inner block", "outer block", "end"]),
        ({"outer_check": True}, KeyboardInterrupt, ["inner block", "outer block"]),
        ({"error": OSError("disk")}, OSError, ["inner block", "outer block"]),
    ],
)
def test_ctrl_c_comes_at_a_check_or_at_the_end_and_hides_no_error(options, error, reached):
    steps = []
    with pytest.raises(error):
        interrupt(steps, **options)
    assert steps == reached
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


@pytest.fixture
def ignored():
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGINT, handler)


def test_ignored_ctrl_c_stays_ignored(ignored):
    with DeferredInterrupt():
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        signal.raise_signal(signal.SIGINT)


def test_other_threads_do_nothing():
    handlers = []

    def enter():
        with DeferredInterrupt():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=enter)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
