"""The record of a folder of outputs: which were made by which model and settings from which inputs.

A file of JSON lines in the output folder. A run names itself by its settings; the outputs of every picture get a line
before they are written and one after it. So a run that ended anywhere, even by `kill -9`, knows afterwards what is
whole, what it may do again, and what was never its own.
"""

import hashlib
import json
import os
import threading
from pathlib import Path

import densecolor

RECORD_NAME = ".densecolor.jsonl"


def key_of(settings):
    """A short name for settings: equal for equal ones.

    Args:
        settings: what JSON can hold.

    Example:
        >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
        True
    """
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:16]


def state_of(path):
    """What tells that a file has not changed: [bytes, time of its last change in nanoseconds].

    Raises:
        OSError: it is not there.
    """
    status = os.stat(path)
    return [status.st_size, status.st_mtime_ns]


class Record:
    """What earlier runs left in a folder, and what this one does.

    Args:
        folder: path of the outputs; made at the first line that is written.
        settings: dict, what the outputs depend on beside their inputs.
        kept: bool; False writes nothing down.
    """

    def __init__(self, folder, settings, kept=True):
        settings = {**settings, "version": densecolor.__version__}
        self._kept = kept
        self._folder = Path(folder)
        self._settings = settings
        self._key = key_of(settings)
        self._earlier = _read(self._folder / RECORD_NAME)
        self._file = None
        self._lock = threading.Lock()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self._file is not None:
            os.close(self._file)

    def is_done(self, source, targets):
        """Whether the targets are there, whole, and made by these settings from the source as it is now."""
        line = self._earlier.get(self._name(targets[0]), {})
        try:
            return (
                "done" in line
                and line["run"] == self._key
                and line["source"] == os.path.abspath(source)
                and line["input"] == state_of(source)
                and all(os.stat(self._folder / name).st_size == size for name, size in line["done"].items())
            )
        except (OSError, KeyError):
            return False

    def is_unfinished(self, target):
        """Whether the last that is known of the target is that a run was about to write it."""
        return "begun" in self._earlier.get(self._name(target), {})

    def begin(self, targets):
        """Note that the targets will be written.

        Raises:
            OSError: it cannot be noted; then nothing must be written.
        """
        self._write({"begun": [self._name(target) for target in targets], "run": self._key})

    def end(self, source, written, before):
        """Note that these targets are written, from a source whose `state_of` was `before`."""
        line = {
            "done": {self._name(target): os.stat(target).st_size for target in written},
            "run": self._key,
            "source": os.path.abspath(source),
            "input": before,
        }
        self._write(line)

    def _name(self, target):
        return os.path.relpath(target, self._folder)

    def _write(self, line):
        if not self._kept:
            return
        with self._lock:
            if self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                self._file = os.open(self._folder / RECORD_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
                self._append({"settings": self._settings, "run": self._key})
            self._append(line)

    def _append(self, line):
        # The line break comes first, so that a line which a full disk has cut short spoils no other.
        data = b"\n" + json.dumps(line).encode("ascii")
        if os.write(self._file, data) < len(data):
            raise OSError(f"No space is left for {self._folder / RECORD_NAME}.")


def _read(path):
    """The last line about each target, by its name; damaged ones are left out."""
    lines = {}
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return lines
    for text_line in text.splitlines():
        try:
            line = json.loads(text_line)
            names = [*line.get("begun", ()), *line.get("done", {}).keys()]
        except (ValueError, AttributeError, TypeError):
            continue
        lines.update((name, line) for name in names if isinstance(name, str))
    return lines
