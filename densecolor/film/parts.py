"""A film in the making: parts that are whole, in a hidden folder beside it, and what is needed to go on from them.

Every part is a film of some hundred frames without sound; the file `state` is replaced after each, and says which
parts count. So whatever ends the work, even `kill -9`, the parts before it are there. At the end the packets of the
parts and of the original's sound are joined, without being encoded again.
"""

import io
import json
import shutil

import numpy as np

from densecolor.atomic import partial_path
from densecolor.atomic import remove_partial_files
from densecolor.atomic import rename_durably
from densecolor.atomic import sync
from densecolor.atomic import write_atomically
from densecolor.errors import FilmError


def parts_folder(output):
    """Where the parts of a film are while it is made."""
    return output.with_name(f".{output.name}.parts")


class Parts:
    """The parts of one film.

    Args:
        output: `pathlib.Path` of the film.
        run: str, what the parts depend on; parts of another run do not count.
    """

    def __init__(self, output, run):
        self.folder = parts_folder(output)
        self._run = run
        self.starts = []
        self.frames = 0
        self.state = {}

    def exist(self):
        """Whether parts of an earlier run are there."""
        return (self.folder / "state").exists()

    def begin(self):
        """Begin anew, without what is there."""
        self.remove()
        self.folder.mkdir(parents=True)

    def go_on(self):
        """Take up what an earlier run left.

        Raises:
            FilmError: it was another run: another model, other settings, or another film.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        remove_partial_files(self.folder)
        try:
            content = (self.folder / "state").read_bytes()
        except FileNotFoundError:
            return
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            about = json.loads(str(arrays["about"]))
            if about["run"] != self._run:
                raise FilmError(
                    f"{self.folder} holds parts that were made with another model, other settings or from another "
                    "film. Use the same again, or --overwrite without --resume to begin anew."
                )
            self.starts, self.frames = about["starts"], about["frames"]
            self.state = {**about["state"], **{name: arrays[name] for name in arrays.files if name != "about"}}

    def new_path(self):
        """Where the next part is to be written; it counts after `add`."""
        return partial_path(self._path(len(self.starts)))

    def add(self, path, start, frames, numbers, arrays):
        """Count a part that is whole.

        Args:
            path: where it was written.
            start: int, when its first frame is shown.
            frames: int, how many frames of the original are done with it.
            numbers: dict, what going on needs, that JSON can hold.
            arrays: dict of arrays, likewise.
        """
        sync(path)
        rename_durably(path, self._path(len(self.starts)))
        self.starts.append(start)
        self.frames = frames
        about = {"run": self._run, "starts": self.starts, "frames": frames, "state": numbers}
        buffer = io.BytesIO()
        np.savez(buffer, about=json.dumps(about), **arrays)
        write_atomically(self.folder / "state", buffer.getvalue())

    def parts(self):
        """The parts in their order: list of (path, when its first frame is shown)."""
        return [(self._path(number), start) for number, start in enumerate(self.starts)]

    def remove(self):
        """Remove all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def tidy(self):
        """Remove the folder if nothing in it counts."""
        if not self.starts:
            self.remove()

    def _path(self, number):
        return self.folder / f"{number:06d}"
