"""OpenCV reports pictures that it cannot read or write on stderr; our errors say it in one line."""

import contextlib

import cv2


@contextlib.contextmanager
def opencv_silenced():
    """Keep OpenCV's log from stderr for the time of a `with` block; the user's own level comes back after it."""
    level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
