"""Named tensors from files of other frameworks, read without running what the files carry."""

import pickle
from pathlib import Path

import numpy as np

from densecolor.errors import CheckpointError
from densecolor.errors import require_package

SAFETENSORS_SUFFIX = ".safetensors"


def read_tensors(path):
    """Read all tensors of a file.

    PyTorch's files are pickles, which can run any code: `torch.load(weights_only=True)` accepts tensors and plain
    containers of them only. safetensors files hold numbers and nothing else.

    Args:
        path: a `.safetensors` file, or a file that `torch.save` wrote of a state dict.

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
    return {name: _to_numpy(value, name, path) for name, value in read(path).items()}


def _read_safetensors(path):
    require_package("safetensors", "import")
    import safetensors.numpy

    try:
        return safetensors.numpy.load_file(path)
    except (safetensors.SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not a whole safetensors file: {error}") from error


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
