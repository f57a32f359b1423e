"""Shards as a `keras.utils.PyDataset`, for any Keras backend (JAX and PyTorch too)."""

import keras

from densecolor.dataset.batches import BatchReader
from densecolor.dataset.batches import model_values


class ShardDataset(keras.utils.PyDataset):
    """The batches of `densecolor.dataset.load` without TensorFlow.

    Args:
        path, split, batch_size, image_size, augment, shuffle, seed, targets, worker_index, worker_count, classes,
            on_damage, sharding, embedding: as `densecolor.dataset.load`.
        workers, use_multiprocessing, max_queue_size: as `keras.utils.PyDataset`.

    Example:
        >>> train = ShardDataset("packed", "train", batch_size=16, augment=True, targets=model.output_names)
        >>> model.fit(train, epochs=5)
    """

    def __init__(self, path, split="train", workers=1, use_multiprocessing=False, max_queue_size=10, **options):
        super().__init__(workers, use_multiprocessing, max_queue_size)
        self._reader = BatchReader(path, split, **options)
        self._epoch = 0

    def __len__(self):
        return self._reader.steps

    def __getitem__(self, step):
        return model_values(self._reader.read(self._epoch, step), self._reader.targets)

    def on_epoch_end(self):
        """Take the next epoch's order and augmentation."""
        self._epoch += 1
