"""Parts become shards, and shards finished ones: put together, hashed, brought to the disk, named."""

import concurrent.futures
import contextlib

from densecolor.atomic import sync
from densecolor.interruption import DeferredInterrupt
from densecolor.shards import ShardInfo
from densecolor.shards import ShardWriter
from densecolor.shards import open_shard

MAX_WAITING = 4  # shards; a slower disk slows the work down rather than filling it with shards in the making
SYNC_BYTES = 1 << 25  # of a shard in the making that go to the disk at once, so that little is left for its end


class Finisher:
    """Takes parts as they are written, in any order, and finishes every shard that is complete.

    Hashing and waiting for the disk go into a thread of their own, which keeps off HDF5.

    Args:
        unfinished: `Unfinished`.
        plans: list of ShardPlan.
        writer_options: dict, arguments of every ShardWriter.
    """

    def __init__(self, unfinished, plans, writer_options):
        self._unfinished = unfinished
        self._writer_options = writer_options
        self._shards = {name: shard for shard in map(_Shard, plans) for name in shard.names}
        self._thread = concurrent.futures.ThreadPoolExecutor(1)
        self._waiting = []

    def __enter__(self):
        return self

    def __exit__(self, error_type, *error):
        self._thread.shutdown(cancel_futures=error_type is not None)
        with DeferredInterrupt():
            for shard in self._shards.values():
                shard.writing.__exit__(error_type, *error)
        if error_type is None:
            for future in self._waiting:
                future.result()

    def add(self, written):
        """Take what became of one task.

        Args:
            written: `Written`.

        Raises:
            ShardError, OSError: a shard cannot be written, this one or an earlier one.
        """
        shard = self._shards[written.file]
        shard.written[written.file] = written
        if len(shard.names) > 1:
            with DeferredInterrupt():
                self._join(shard)
        if len(shard.written) == len(shard.names):
            self._waiting.append(self._thread.submit(self._finish, shard))
        while self._waiting and (len(self._waiting) > MAX_WAITING or self._waiting[0].done()):
            self._waiting.pop(0).result()

    def _join(self, shard):
        """Append the parts whose turn has come, so that most of a shard is on the disk when its last part is done."""
        if shard.writer is None:
            path = self._unfinished.folder / shard.plan.name
            writer = ShardWriter(path, capacity=len(shard.plan.entries), split=shard.plan.split, **self._writer_options)
            shard.writer = shard.writing.enter_context(writer)
        while shard.joined < len(shard.names) and shard.names[shard.joined] in shard.written:
            part = self._unfinished.folder / shard.names[shard.joined]
            with open_shard(part) as pictures:
                shard.writer.append_shard(pictures)
            shard.unsynced += part.stat().st_size
            part.unlink()
            shard.joined += 1
        if shard.joined == len(shard.names):
            shard.writing.close()
        elif shard.unsynced > SYNC_BYTES:
            self._thread.submit(_sync_if_there, shard.writer.partial_path)
            shard.unsynced = 0

    def _finish(self, shard):
        parts = [shard.written[name] for name in shard.names]
        path = self._unfinished.folder / shard.plan.name
        info = ShardInfo.of(path, shard.plan.split, sum(part.count for part in parts))
        self._unfinished.finish_shard(path, info, [rejection for part in parts for rejection in part.rejected])


class _Shard:
    """How far one shard is."""

    def __init__(self, plan):
        self.plan = plan
        self.names = list(plan.parts)  # of the files of its parts
        self.written = {}  # name -> Written
        self.joined = 0  # parts, the first ones
        self.unsynced = 0  # bytes
        self.writer = None
        self.writing = contextlib.ExitStack()  # closes the writer


def _sync_if_there(path):
    with contextlib.suppress(FileNotFoundError):  # it has been finished, and renamed, in the meantime
        sync(path)
