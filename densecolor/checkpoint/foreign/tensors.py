"""Named tensors from files of other frameworks, read without running what the files carry."""

import pickle
from pathlib import Path

import h5py
import numpy as np

from densecolor.checkpoint.weights import NotAllowedError
from densecolor.checkpoint.weights import plain_datasets
from densecolor.errors import CheckpointError
from densecolor.errors import require_package

SAFETENSORS_SUFFIX = ".safetensors"
HDF5_SUFFIXES = (".h5", ".hdf5")
KERAS2_OPTIMIZER = "/optimizer_weights/"


def read_tensors(path):
    """Read all tensors of a file.

    PyTorch's files are pickles, which can run any code: `torch.load(weights_only=True)` accepts tensors and plain
    containers of them only. safetensors files hold numbers and nothing else. Of Keras 2's HDF5 files nothing but
    arrays is read, and their optimizers' are left out.

    Args:
        path: a `.safetensors` file, a `.h5` file of Keras 2, or a file that `torch.save` wrote of a state dict.

    Returns:
        dict of name to float32 or integer NumPy array.

    Raises:
        CheckpointError: there is no such file, it is damaged, or holds anything but named tensors.
        DensecolorError: torch or safetensors is not installed.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no weights file {str(path)!r}.")
    read = _read_safetensors if path.suffix == SAFETENSORS_SUFFIX else _read_torch
    if path.suffix in HDF5_SUFFIXES:
        read = _read_keras2
    return {name: _to_numpy(value, name, path) for name, value in read(path).items()}


def _read_safetensors(path):
    require_package("safetensors", "import")
    import safetensors.numpy

    try:
        return safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error


def _read_keras2(path):
    """By the last two parts of their names, such as "conv2d_6/kernel:0": before them are groups and models inside."""
    try:
        with h5py.File(path, "r") as file:
            arrays = [(place, dataset[()]) for place, dataset in plain_datasets(file)]
    except NotAllowedError as error:
        raise CheckpointError(f"{path} holds what Keras never writes: {error}.") from error
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # all of these come from damaged files
        raise CheckpointError(f"{path} is not a whole HDF5 file: {error}") from error
    tensors = {}
    for place, array in arrays:
        name = "/".join(place.split("/")[-2:])
        if place.startswith(KERAS2_OPTIMIZER):
            continue
        if name in tensors:
            raise CheckpointError(f"{path} has two arrays of the name {name!r}.")
        tensors[name] = array
    return tensors


def _read_torch(path):
    torch = require_package("torch", "import")
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"{path} is not a PyTorch file of tensors alone, or is damaged: {reason}") from error
    tensors = isinstance(content, dict) and all(
        isinstance(name, str) and isinstance(value, torch.Tensor) for name, value in content.items()
    )
    if not tensors:
        raise CheckpointError(f"{path} is not a state dict: it must hold a dict of names to tensors.")
    return {name: value.detach().float() if value.is_floating_point() else value for name, value in content.items()}


def _to_numpy(value, name, path):
    array = np.asarray(value)
    if array.dtype.kind == "f":
        array = array.astype(np.float32)
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path} has NaN or infinite numbers in {name!r}.")
    return array
