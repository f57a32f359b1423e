"""Checkpoints that somebody has changed: `.keras` archives with other configurations and weights."""

import io
import json
import zipfile

import h5py
import keras

WEIGHTS = "model.weights.h5"
KERNEL = "layers/conv2d/vars/0"  # of the first convolution of a U-Net


def rewrite(path, edit_config=None, edit_weights=None, extra=()):
    """Replace a checkpoint by a changed copy of it.

    `edit_config` takes and returns the configuration, `edit_weights` gets the opened HDF5 file, `extra` are pairs
    of a member's name and its bytes.
    """
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    if edit_config:
        edited = edit_config(json.loads(members["config.json"]))
        members["config.json"] = edited if isinstance(edited, bytes) else json.dumps(edited).encode()
    if edit_weights:
        buffer = io.BytesIO(members[WEIGHTS])
        with h5py.File(buffer, "r+") as file:
            edit_weights(file)
        members[WEIGHTS] = buffer.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in [*members.items(), *extra]:
            archive.writestr(name, content)
    return path


def with_arguments(**arguments):
    return lambda config: config | {"config": config["config"] | arguments}


def foreign_configs(canary):
    """Configurations of a Lambda layer that runs code, a saved graph from elsewhere, plain Keras, any callable."""

    def write_canary(x):
        with open(canary, "w") as file:
            file.write("executed")
        return x

    with_code = keras.Sequential([keras.Input((1,)), keras.layers.Lambda(write_canary)])
    plain = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    graph = {"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": str(canary.parent)}}
    command = {"module": "os", "class_name": "system", "config": f"touch {canary}"}
    config = [keras.saving.serialize_keras_object(model) for model in (with_code, plain)] + [graph, command]
    canary.unlink(missing_ok=True)
    return [{"registered_name": None} | item for item in config]


def replaced(create):
    """An edit that replaces the first convolution's weights by what `create(file, shape)` makes in their place."""

    def edit(file):
        shape = file[KERNEL].shape
        del file[KERNEL]
        create(file, shape)

    return edit
