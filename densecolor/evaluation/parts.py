"""Parts of an evaluation: consecutive pictures measured by one worker, kept as files until all are there.

A part holds the figures of its pictures and sums over their pixels; parts put together in their order give the same
numbers whoever measured them and however often the work was interrupted.
"""

import contextlib
import hashlib
import io
import json
import shutil
import zipfile
from pathlib import Path

import numpy as np

from densecolor.atomic import remove_partial_files
from densecolor.atomic import write_atomically
from densecolor.errors import DensecolorError
from densecolor.evaluation.rows import Figures

PLAN = "plan.json"
SUFFIX = ".unfinished"
PICTURES = 256  # a part, about: what an interruption costs at most


class Part:
    """The figures of consecutive pictures.

    Attributes:
        keys: list of str.
        labels: int32 array (pictures,).
        values: float64 (pictures, systems, measures), the truth's first.
        sums: dict of name to array, which add up over parts: "ab_counts" int64 (systems, 2, 256), how often each a
            and b occurs, from -128 on; where the rebalanced area is measured "bin_counts" (313,) and "bin_areas"
            (systems without the truth, 313), see `densecolor.metrics.ab_auc_by_bin`.
        features: float32 (pictures, systems, features), or None.
        digests: list of str, what identifies the files of each picture; empty for packed pictures.
        left_out: list of [key, reason].
    """

    def __init__(self, keys, labels, values, sums, features=None, digests=(), left_out=()):
        self.keys = list(keys)
        self.labels = np.asarray(labels, np.int32)
        self.values = values
        self.sums = sums
        self.features = features
        self.digests = list(digests)
        self.left_out = [list(item) for item in left_out]

    def to_bytes(self):
        """As the bytes of a file."""
        arrays = {"labels": self.labels, "values": self.values}
        arrays |= {f"sum_{name}": array for name, array in self.sums.items()}
        if self.features is not None:
            arrays["features"] = self.features
        text = {"keys": self.keys, "digests": self.digests, "left_out": self.left_out}
        arrays["text"] = np.frombuffer(json.dumps(text).encode(), np.uint8)
        file = io.BytesIO()
        np.savez(file, **arrays)
        return file.getvalue()

    @classmethod
    def read(cls, path):
        """Of a file that `to_bytes` filled; None where there is none or it is damaged."""
        try:
            with np.load(path, allow_pickle=False) as file:
                arrays = dict(file)
            text = json.loads(arrays.pop("text").tobytes())
            sums = {name[4:]: arrays[name] for name in arrays if name.startswith("sum_")}
            features = arrays.get("features")
            return cls(labels=arrays["labels"], values=arrays["values"], sums=sums, features=features, **text)
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
            return None


class PartFolder:
    """The parts of one evaluation in a folder, which is made with the first of them.

    Args:
        folder: Path.
        plan: JSON-able; parts of another plan in the folder are removed.
        count: how many parts the whole has.
        shared: whether other workers may be at work in the folder: then another plan there is an error.

    Raises:
        DensecolorError: the folder holds something else, or, if it is shared, parts of another plan.
    """

    def __init__(self, folder, plan, count, shared=False):
        self.folder = Path(folder)
        self.count = count
        self._plan = json.dumps(plan, sort_keys=True, indent=1, default=str)
        if self.folder.is_dir() and any(self.folder.iterdir()) and not self._is_ours():
            self._clear(shared)

    def _clear(self, shared):
        if not (self.folder / PLAN).is_file():
            raise DensecolorError(
                f"{self.folder} holds something else than parts of an evaluation. Remove or rename it."
            )
        if shared:
            raise DensecolorError(
                f"{self.folder} holds parts of another evaluation: other data, models, options or versions. Give every "
                "share the same ones, or remove the folder."
            )
        shutil.rmtree(self.folder)

    def _is_ours(self):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return (self.folder / PLAN).read_text(encoding="utf-8") == self._plan
        return False

    def path(self, number):
        """Where a part is kept."""
        return self.folder / f"part-{number:05d}.npz"

    def write(self, number, part):
        """Keep a part; it is there whole or not at all."""
        if not (self.folder / PLAN).is_file():
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self.folder / PLAN, self._plan)
        write_atomically(self.path(number), part.to_bytes())

    def missing(self):
        """Numbers of the parts that are not there, or not whole."""
        return [number for number in range(self.count) if Part.read(self.path(number)) is None]

    def __iter__(self):
        for number in range(self.count):
            yield Part.read(self.path(number))

    def remove(self):
        """Remove the folder with all its parts."""
        with contextlib.suppress(FileNotFoundError):
            remove_partial_files(self.folder)
            shutil.rmtree(self.folder)


def add_sums(sums, more):
    """Add to sums, by name, the arrays of some more pictures.

    Args:
        sums: dict of name to array, changed.
        more: dict of name to array; arrays are not changed.
    """
    for name, array in more.items():
        sums[name] = sums[name] + array if name in sums else array


def put_together(parts, systems, measures):
    """All parts as one.

    Args:
        parts: iterable of Part, in order.
        systems: list of names, the truth's first.
        measures: list of names.

    Returns:
        (Figures, sums, left_out, digest): the figures of all pictures; the sums of the parts; what was left out; and
        the SHA-256 of the files of all pictures, or None.
    """
    keys, labels, values, sums, left_out = [], [], [], {}, []
    digest = hashlib.sha256()
    has_digests = False
    for part in parts:
        keys += part.keys
        labels.append(part.labels)
        values.append(part.values)
        left_out += part.left_out
        for text in part.digests:
            digest.update(text.encode())
            has_digests = True
        add_sums(sums, part.sums)
    shape = (0, len(systems), len(measures))
    values = np.concatenate([np.empty(shape), *values])
    labels = np.concatenate([np.empty(0, np.int32), *labels])
    figures = Figures(keys, labels, list(systems), list(measures), values)
    return figures, sums, left_out, digest.hexdigest() if has_digests else None
