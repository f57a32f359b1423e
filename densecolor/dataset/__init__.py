"""Packed shards to batches, for tf.distribute and for any Keras backend.

`batches` reads and augments in NumPy; `load` makes a `tf.data.Dataset` of it and `ShardDataset` a
`keras.utils.PyDataset`, so both give the same batches. `iterate` yields single pictures as they are stored.
"""

import importlib

from densecolor.dataset.batches import TARGETS
from densecolor.dataset.batches import BatchReader
from densecolor.dataset.records import Record
from densecolor.dataset.records import iterate

__all__ = ["TARGETS", "BatchReader", "Record", "ShardDataset", "iterate", "load"]

_LAZY = {"load": "densecolor.dataset.tf_data", "ShardDataset": "densecolor.dataset.py_dataset"}


def __getattr__(name):  # TensorFlow and Keras are imported by who needs them
    if name in _LAZY:
        return getattr(importlib.import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'densecolor.dataset' has no attribute {name!r}")
