"""One private folder for all that a server stores, from which old files go."""

import contextlib
import os
import pathlib
import shutil
import tempfile
import threading
import time

_SWEEPS = 60  # a sweep takes place so many times in the time that files are kept


@contextlib.contextmanager
def private_folder(seconds):
    """A folder that nobody else may look into, for the time of a `with` block.

    Args:
        seconds: how long files stay in it.

    Yields:
        `pathlib.Path`, resolved.
    """
    folder = pathlib.Path(tempfile.mkdtemp(prefix="densecolor-web-")).resolve()
    ended = threading.Event()

    def sweep():
        while not ended.wait(seconds / _SWEEPS):
            remove_old(folder, time.time() - seconds)

    thread = threading.Thread(target=sweep, daemon=True)
    thread.start()
    try:
        yield folder
    finally:
        ended.set()
        thread.join()
        shutil.rmtree(folder, ignore_errors=True)


def remove_old(folder, before):
    """Remove files below a folder that were last changed before a time, and the folders that are empty then.

    Args:
        folder: `pathlib.Path`, which itself stays, as do the folders in it.
        before: float, seconds since 1970.
    """
    for parent, _, names in os.walk(folder, topdown=False):
        parent = pathlib.Path(parent)
        with contextlib.suppress(OSError):  # what others remove, or are at work in, at this moment
            for name in names:
                if (parent / name).lstat().st_mtime < before:
                    (parent / name).unlink()
            if parent not in (folder, *folder.iterdir()) and parent.stat().st_mtime < before:
                parent.rmdir()
