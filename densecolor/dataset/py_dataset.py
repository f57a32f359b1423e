"""Shards as a `keras.utils.PyDataset`, for any Keras backend (JAX and PyTorch too)."""

import keras

from densecolor.cores import available_cores
from densecolor.dataset.ahead import ReadAhead
from densecolor.dataset.batches import BatchReader
from densecolor.dataset.batches import model_values
from densecolor.dataset.ending import until_exit

MAX_THREADS = 8


class ShardDataset(keras.utils.PyDataset):
    """The batches of `densecolor.dataset.load` without TensorFlow.

    Threads of its own read ahead as long as the batches are asked for in order, which `fit` does when told
    `shuffle=False`. Keras' workers are not used: from its queue the first epoch of `fit` lacks the batch that the model
    is built with, and every later one begins with the last epoch's rest. The pictures are shuffled by `seed` in any
    case; without `shuffle=False`, `fit` also takes the batches of an epoch in an order that Python's `random` draws.

    Args:
        path, split, batch_size, image_size, augment, shuffle, seed: as `densecolor.dataset.load`.
        targets, worker_index, worker_count, classes, on_damage, sharding, embedding: likewise.
        workers: threads that read ahead; None for one a core, from 2 to 8.
        use_multiprocessing: True leaves reading ahead to Keras, in so many processes.
        max_queue_size: batches ahead; None for two more than workers.

    Example:
        >>> train = ShardDataset("packed", "train", batch_size=16, augment=True, targets=model.output_names)
        >>> model.fit(train, epochs=5, shuffle=False)
    """

    def __init__(self, path, split="train", workers=None, use_multiprocessing=False, max_queue_size=None, **options):
        workers = min(max(available_cores(), 2), MAX_THREADS) if workers is None else workers
        depth = workers + 2 if max_queue_size is None else max_queue_size
        super().__init__(workers if use_multiprocessing else 1, use_multiprocessing, depth)
        self._reader = BatchReader(path, split, **options)
        threads = 0 if use_multiprocessing else workers
        self._ahead = ReadAhead(self._read, self._reader.steps, threads, depth) if threads else None
        self._epoch = 0

    def __len__(self):
        return self._reader.steps

    def __getitem__(self, step):
        get = self._read if self._ahead is None else self._ahead.get
        return until_exit(get)(self._epoch, step)

    def on_epoch_end(self):
        """Take the next epoch's order and augmentation."""
        self._epoch += 1

    def _read(self, epoch, step):
        return model_values(self._reader.read(epoch, step), self._reader.targets)
