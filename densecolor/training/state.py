"""The state from which a run goes on: one file, `last/state.npz`, that is whole or not there.

It is a zip file of arrays as NumPy writes them, and of `progress.json`. Nothing in it is run or looked up by name, and
the zip file's checksums find damage.

    weights     of the model, moving statistics included; of an adversary too
    optimizer   moments, the count of steps on which schedules depend, averages, loss scale; of all optimizers
    random      the state of every layer that draws random numbers, such as Dropout
    metrics     the sums of the epoch in work

The order of the pictures and their augmentation need no state: they are functions of (seed, epoch, step).
"""

import dataclasses
import json
import os
import zipfile

import keras
import numpy as np

from densecolor.atomic import partial_path
from densecolor.atomic import rename_durably
from densecolor.errors import TrainingError
from densecolor.training.adversarial.parts import optimizers_of

ADVICE = "Try a lower learning rate, more warm-up steps, or float32. What was saved before stays."
PROGRESS_NAME = "progress.json"
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, EOFError, NotImplementedError, zipfile.BadZipFile)


@dataclasses.dataclass
class Progress:
    """Where a run stands.

    Attributes:
        epoch: epochs that are whole.
        step: steps of the next epoch that are done; all of them where only its validation is missing.
        history: list of dict, one row for each whole epoch.
        best_epoch: the epoch, from 1, whose model `best.keras` holds for certain; None where there is none yet.
        stopped: a callback has ended the run before its last epoch.
        pictures: how many the train split had.
        callbacks: dict, class name -> what `get_state()` of the callback gave.
    """

    epoch: int = 0
    step: int = 0
    history: list = dataclasses.field(default_factory=list)
    best_epoch: int | None = None
    stopped: bool = False
    pictures: int = 0
    callbacks: dict = dataclasses.field(default_factory=dict)


def copy_volatile(model):
    """What a validation changes in a model: metric sums and the state of random layers, a dict of lists of arrays.

    Of several workers, all must call this at the same time.
    """
    variables = _variables(model)
    if hasattr(model, "read_metrics"):  # see `multiworker`
        variables["metrics"] = model.read_metrics()
    return {group: [_array(v) for v in variables[group]] for group in ("random", "metrics")}


def write_state(path, model, progress, volatile=None):
    """Replace the state by that of a model in training; whatever happens, `path` holds the old or the new one.

    Args:
        path: Path of the file.
        model: compiled and built `keras.Model`.
        progress: Progress.
        volatile: of an earlier `copy_volatile`, in place of the model's own.

    Raises:
        OSError: it cannot be written, perhaps for want of space; the old state is untouched.
        TrainingError: a weight is no number any more, so that nobody could go on from here.

    Example:
        >>> write_state(Path("runs/first/last/state.npz"), model, Progress(epoch=3, history=rows))
    """
    groups = _variables(model) | (volatile or {})
    partial = partial_path(path)
    try:
        with open(partial, "wb") as file:
            with zipfile.ZipFile(file, "w") as archive:
                for group, variables in groups.items():
                    for number, variable in enumerate(variables):
                        array = _array(variable)
                        if group == "weights" and not np.isfinite(array).all():
                            raise TrainingError(f"The weights {variable.path} became infinite or no numbers. {ADVICE}")
                        with archive.open(_member(group, number), "w", force_zip64=True) as member:
                            np.lib.format.write_array(member, array, allow_pickle=False)
                counts = {group: len(variables) for group, variables in groups.items()}
                archive.writestr(PROGRESS_NAME, json.dumps({"arrays": counts, **dataclasses.asdict(progress)}))
            file.flush()
            os.fsync(file.fileno())
        rename_durably(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def read_progress(path):
    """Where the run stands whose state is in `path`.

    Returns:
        Progress; that of a run that has not begun where there is no such file.

    Raises:
        TrainingError: the file is damaged.
    """
    if not path.exists():
        return Progress()
    try:
        with zipfile.ZipFile(path) as archive:
            values = json.loads(archive.read(PROGRESS_NAME))
        del values["arrays"]
        return Progress(**values)
    except _UNREADABLE as error:
        raise _damaged(path, error) from None


def restore_state(path, model):
    """Give a model the weights and the optimizer of a state; nothing changes unless all of it is whole and fits.

    Args:
        path: Path of the file.
        model: compiled and built `keras.Model`, its optimizer built too.

    Returns:
        dict of lists of arrays for `restore_volatile`, which must wait until Keras has made the metrics and set them
        to zero.

    Raises:
        TrainingError: the file is damaged, or the state of another model.
    """
    arrays = _read_arrays(path)
    variables = _variables(model)
    for group in ("weights", "optimizer", "random"):
        _require_same_shapes(path, group, arrays[group], variables[group])
    for group in ("weights", "optimizer"):
        _assign(variables[group], arrays.pop(group))
    return arrays


def restore_volatile(path, model, arrays, with_metrics):
    """Give a model the rest of its state at the beginning of an epoch.

    Args:
        path: Path of the file that the arrays came from.
        model: the model that `restore_state` has seen.
        arrays: what that returned.
        with_metrics: inside an epoch, whose metrics go on.

    Raises:
        TrainingError: the metrics are of another kind.
    """
    variables = _variables(model)
    _assign(variables["random"], arrays["random"])
    if with_metrics:
        _require_same_shapes(path, "metrics", arrays["metrics"], variables["metrics"])
        # Each replica of a strategy keeps a share of a sum; assigning divides it among them.
        _assign(variables["metrics"], arrays["metrics"])


def _variables(model):
    weights = {id(variable) for variable in model.weights}
    return {
        "weights": model.weights,
        "optimizer": [variable for optimizer in optimizers_of(model) for variable in optimizer.variables],
        "random": [variable for variable in model.variables if id(variable) not in weights],
        "metrics": model.metrics_variables,
    }


def _array(value):
    return np.asarray(keras.ops.convert_to_numpy(value))


def _assign(variables, arrays):
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)


def _member(group, number):
    return f"{group}/{number:05d}.npy"


def _read_arrays(path):
    try:
        with zipfile.ZipFile(path) as archive:
            counts = json.loads(archive.read(PROGRESS_NAME))["arrays"]
            return {
                group: [_read_array(archive, _member(group, number)) for number in range(counts[group])]
                for group in ("weights", "optimizer", "random", "metrics")
            }
    except _UNREADABLE as error:
        raise _damaged(path, error) from None


def _read_array(archive, name):
    with archive.open(name) as member:
        return np.lib.format.read_array(member, allow_pickle=False)


def _require_same_shapes(path, group, arrays, variables):
    found, expected = [array.shape for array in arrays], [tuple(variable.shape) for variable in variables]
    if found != expected:
        differing = next((pair for pair in zip(found, expected, strict=False) if pair[0] != pair[1]), None)
        what = f"shape {differing[0]} instead of {differing[1]}" if differing else f"{len(found)} for {len(expected)}"
        raise TrainingError(
            f"{path} is the state of another model ({group}: {what}). Resume with the model it was trained with, or "
            "choose another folder; best.keras is still there."
        )


def _damaged(path, error):
    return TrainingError(f"{path} is damaged ({error}). Start again in another folder; best.keras is still there.")
