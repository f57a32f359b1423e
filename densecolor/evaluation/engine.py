"""Measure a comparison part by part, on all cores; go on where an earlier run was interrupted."""

import concurrent.futures
import contextlib
import tempfile
from pathlib import Path

import cv2
import numpy as np

from densecolor.cores import available_cores
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.errors import ShardError
from densecolor.evaluation.measuring import measure_picture
from densecolor.evaluation.parts import PICTURES
from densecolor.evaluation.parts import SUFFIX
from densecolor.evaluation.parts import Part
from densecolor.evaluation.parts import PartFolder
from densecolor.evaluation.parts import add_sums

_BROKEN = (ImageError, ShardError, OSError)


class Options:
    """How a comparison is measured.

    Args:
        chosen: dict of name to Measure.
        workers: threads that measure; None for one a core.
        share: (number from 1, of how many), or None for all parts.
        skip_damaged: leave out pictures that cannot be read or compared, and name them.
        progress: function (done, total), or None.
    """

    def __init__(self, chosen, workers=None, share=None, skip_damaged=False, progress=None):
        if workers is not None and workers < 1:
            raise DensecolorError(f"`workers` must be at least 1. Received: {workers}.")
        if share is not None and not 1 <= share[0] <= share[1]:
            raise DensecolorError(f"`share` must be (number, of how many), from 1. Received: {share}.")
        self.chosen = chosen
        self.workers = workers or available_cores()
        self.share = share
        self.skip_damaged = skip_damaged
        self.networks = None  # `densecolor.evaluation.networks.Networks`, which needs to know the data
        self.progress = progress

    @property
    def measures(self):
        """Names of all columns of the rows."""
        of_networks = self.networks.measures if self.networks else {}
        return [*(name for name, measure in self.chosen.items() if not measure.pooled), *of_networks]


@contextlib.contextmanager
def part_folder(comparison, options, report):
    """Where the parts go: beside the report, to survive an interruption, or else into a temporary folder.

    Args:
        comparison: PackedComparison or FolderComparison.
        options: Options.
        report: Path of the report's folder, or None.

    Yields:
        PartFolder.
    """
    fingerprint = comparison.fingerprint()
    size = _part_size(comparison.batch_size)
    count = -(-comparison.count // size)
    plan = {
        "comparison": fingerprint,
        "systems": {system.name: system.about for system in comparison.systems},
        "measures": list(options.chosen),
        "networks": options.networks.about() if options.networks else None,
        "part": size,
        "skip_damaged": options.skip_damaged,
    }
    if report is not None and fingerprint is not None:
        yield PartFolder(Path(f"{report}{SUFFIX}"), plan, count, shared=options.share is not None)
        return
    if options.share is not None:
        raise DensecolorError("A share needs a report folder, and models that are files or Keras models.")
    with tempfile.TemporaryDirectory(prefix="densecolor-") as folder:
        yield PartFolder(folder, plan, count)


def measure_parts(comparison, options, folder):
    """Measure the parts that are missing in the folder, or those of them that are in the share."""
    missing = set(folder.missing())
    size = _part_size(comparison.batch_size)
    number, of = options.share or (1, 1)
    starts = {part: part * size for part in range(folder.count) if part % of == number - 1}
    bounds = {part: (start, min(start + size, comparison.count)) for part, start in starts.items()}
    total = sum(stop - start for start, stop in bounds.values())
    done = sum(stop - start for part, (start, stop) in bounds.items() if part not in missing)
    if done and options.progress:
        options.progress(done, total)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # the pictures are spread over the cores, not their pixels
    try:
        with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
            for part, (start, stop) in bounds.items():
                if part in missing:
                    folder.write(part, _measure_part(comparison, options, pool, (start, stop), done, total))
                    done += stop - start
    finally:
        cv2.setNumThreads(threads)


def _part_size(batch_size):
    return batch_size * max(1, PICTURES // batch_size)


def _measure_part(comparison, options, pool, bounds, done, total):
    """One Part. While a batch is measured, the next one is coloured."""
    gathered = _Gathered(options)
    waiting = []

    def finish(futures):
        nonlocal done
        gathered.add([future.result() for future in futures])
        done += len(futures)
        if options.progress:
            options.progress(done, total)

    try:
        for tasks in comparison.batches(*bounds):
            waiting.append([pool.submit(_measure, task, options) for task in tasks])
            if len(waiting) > 1:
                finish(waiting.pop(0))
        for futures in waiting:
            finish(futures)
    except BaseException:
        for future in (future for futures in waiting for future in futures):
            future.cancel()
        raise
    return gathered.part(len(comparison.systems))


def _measure(task, options):
    """(Measured or None, digests, what was left out or None)."""
    try:
        picture, answers, digests = task()
    except _BROKEN as error:
        if not options.skip_damaged:
            raise
        return None, [], [getattr(task, "key", ""), str(error)]
    keep_shown = options.networks is not None
    return measure_picture(picture, answers, options.chosen, keep_shown), digests, None


class _Gathered:
    def __init__(self, options):
        self._options = options
        self._measured, self._digests, self._left_out, self._sums = [], [], [], {}
        self._extra, self._features = [], []

    def add(self, results):
        measured = [result for result, _, _ in results if result is not None]
        self._digests += [digest for _, digests, _ in results for digest in digests]
        self._left_out += [left_out for _, _, left_out in results if left_out is not None]
        for result in measured:
            add_sums(self._sums, result.sums)
        if self._options.networks is not None and measured:
            figures, features = self._options.networks.look(measured)
            self._extra += list(figures)
            self._features += list(features)
        self._measured += [result._replace(shown=[], sums={}) for result in measured]

    def part(self, systems):
        kept = [column for column, measure in enumerate(self._options.chosen.values()) if not measure.pooled]
        values = np.array([result.values[:, kept] for result in self._measured], np.float64)
        values = values.reshape(len(self._measured), systems + 1, len(kept))
        if self._extra:
            values = np.concatenate([values, np.stack(self._extra)], axis=-1)
        elif self._options.networks is not None:
            values = np.empty((0, systems + 1, len(self._options.measures)))
        return Part(
            [result.key for result in self._measured],
            [result.label for result in self._measured],
            values,
            self._sums,
            np.stack(self._features) if self._features else None,
            self._digests,
            self._left_out,
        )
