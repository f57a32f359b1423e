"""Weights in half precision: files of half the size."""

import zipfile

import h5py
import numpy as np

from densecolor.checkpoint.weights import OPTIMIZER
from densecolor.errors import CheckpointError


def halve_weights(path, member, folder):
    """Write the weights of a `.keras` file again, as float16.

    A float16 has 11 bits of precision: weights move by at most 1/2048 of themselves, and must be below 65,520.

    Args:
        path: the file; replaced in place.
        member: the weights' name in it.
        folder: Path for files that are not kept.

    Raises:
        CheckpointError: a weight is too large for float16.
    """
    with zipfile.ZipFile(path) as archive:
        parts = {info.filename: archive.read(info) for info in archive.infolist()}
    weights = folder / "whole.h5"
    weights.write_bytes(parts[member])
    with h5py.File(weights, "r") as source, h5py.File(folder / "half.h5", "w") as target:
        _copy(source, target)
    parts[member] = (folder / "half.h5").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


def _copy(source, target):
    """Copy a group with all that is in it; the numbers of weights, not those of an optimizer, become float16."""
    for name, value in source.attrs.items():
        target.attrs[name] = value
    for name, member in source.items():
        if isinstance(member, h5py.Group):
            _copy(member, target.create_group(name))
            continue
        values = member[()]
        if member.dtype == np.float32 and not member.name.startswith(OPTIMIZER):
            largest = np.max(np.abs(values), initial=0.0)
            if not largest < 65_520:  # NaN too
                raise CheckpointError(
                    f"The weight {member.name} has values up to {largest:.3g}, too large for float16."
                )
            values = values.astype(np.float16)
        copy = target.create_dataset(name, data=values)
        for key, value in member.attrs.items():
            copy.attrs[key] = value
