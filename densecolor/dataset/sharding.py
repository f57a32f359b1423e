"""Which pictures of a split each of several workers reads.

A batch of all workers that has too few pictures is filled up with its own pictures again, which the reader gives no
weight: batch statistics see nothing foreign, and every replica has work.
"""

import numpy as np

from densecolor.errors import ShardError


class ByElement:
    """Every `worker_count`-th picture of an order over all of them: whatever the workers, the same batches together.

    Args:
        packed: `densecolor.shards.PackedSplit`.
        batch_size: rows a batch of one worker.
        worker_index, worker_count: which worker of how many.

    Attributes:
        steps: batches an epoch, the same for all workers.
    """

    def __init__(self, packed, batch_size, worker_index, worker_count):
        self._count = packed.count
        self._together = batch_size * worker_count
        self._mine = slice(worker_index, None, worker_count)
        self.steps = -(-self._count // self._together)

    def rows(self, order, step):
        """The pictures of one batch of this worker.

        Args:
            order: function of a number n that gives an order of range(n).
            step: of the epoch.

        Returns:
            indices of pictures, (batch,), and bool (batch,), whether each is one, or fills up the batch.
        """
        chosen = order(self._count)[step * self._together : (step + 1) * self._together]
        is_picture = np.arange(self._together) < len(chosen)
        return np.resize(chosen, self._together)[self._mine], is_picture[self._mine]


class ByFile:
    """All pictures of every `worker_count`-th shard: a worker never opens the files of another.

    Arguments and attributes are those of `ByElement`.

    Raises:
        ShardError: there is no shard with pictures for some worker.
    """

    def __init__(self, packed, batch_size, worker_index, worker_count):
        ranges = [places for number in range(len(packed.paths)) if len(places := packed.indices_of(number))]
        if len(ranges) < worker_count:
            raise ShardError(
                f"{packed.paths[0].parent} has {len(ranges)} shard(s) of split {packed.split!r}, too few for "
                f"{worker_count} workers to read by file. Share by element (--data-sharding element), or pack again "
                "with a smaller --shard-size."
            )
        shares = [ranges[worker::worker_count] for worker in range(worker_count)]
        self._mine = np.concatenate([np.asarray(places) for places in shares[worker_index]])
        self._batch_size = batch_size
        # As many for all as the largest share needs, since workers step together.
        self.steps = max(-(-sum(map(len, share)) // batch_size) for share in shares)

    def rows(self, order, step):
        """As `ByElement.rows`; a worker that has run out of pictures fills up whole batches."""
        mine = self._mine[order(len(self._mine))]
        chosen = mine[step * self._batch_size : (step + 1) * self._batch_size]
        is_picture = np.arange(self._batch_size) < len(chosen)
        return np.resize(chosen if len(chosen) else mine, self._batch_size), is_picture


SHARDINGS = {"element": ByElement, "file": ByFile}
