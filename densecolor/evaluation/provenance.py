"""What an evaluation was made of: data and models by checksum, and versions."""

import hashlib
import importlib.metadata
from pathlib import Path

import keras
import numpy as np

import densecolor
from densecolor.shards import read_manifest
from densecolor.shards import sha256_of


def describe_versions():
    """Versions of what the figures depend on, and the Keras backend."""
    names = ("keras", "numpy", "opencv-contrib-python-headless", "tensorflow")
    versions = {name: importlib.metadata.version(name) for name in names}
    return {"densecolor": densecolor.__version__, **versions, "backend": keras.backend.backend()}


def describe_data(data, packed):
    """The evaluated split: name, size and checksums of the shards; no paths of this machine."""
    path = Path(data)
    if path.is_dir():
        listed = read_manifest(path).shards
        checksums = {shard.name: shard.sha256 for shard in listed if shard.split == packed.split}
    else:
        checksums = {path.name: sha256_of(path)}
    return {
        "name": path.resolve().name,
        "split": packed.split,
        "pictures_in_split": packed.count,
        "image_size": packed.image_size,
        "sha256": checksums,
    }


def describe_model(model):
    """A Keras model: its size, and a checksum of its weights, however it was stored."""
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return {"class": type(model).__name__, "parameters": model.count_params(), "weights_sha256": digest.hexdigest()}
