"""What an HDF5 file of weights may hold: plain datasets of the shapes that the model has, and nothing else."""

from collections import Counter

import h5py

from densecolor.errors import CheckpointError

OPTIMIZER = "/optimizer/"  # in files of compiled models; loading weights leaves it unread
SEED = "/seed_generator/vars/0"  # the random state of a Dropout; not among a model's weights
SEED_SHAPE = (2,)
BFLOAT16 = "V2"  # HDF5 has no such numbers; Keras stores their two bytes


def check_weights(file_path, model, path):
    """Check the structure of a weights file before Keras reads any of its values.

    HDF5 can point to other files (external links, external storage, virtual datasets) and can promise more than it
    holds (filters, chunks that were never written); none of that is in a file that Keras wrote.

    Args:
        file_path: the extracted HDF5 file.
        model: the built `keras.Model` that the weights are for.
        path: the archive it comes from, for messages.

    Raises:
        CheckpointError: the file is damaged, holds a link or a dataset of another kind, or other shapes than the model.
    """
    try:
        with h5py.File(file_path, "r") as file:
            shapes = Counter(_shapes(file))
    except NotAllowedError as error:
        raise CheckpointError(f"The weights in {path} hold what Keras never writes: {error}.") from error
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:  # all of these come from damaged files
        raise CheckpointError(f"The weights in {path} cannot be read: {error}") from error
    expected = Counter(tuple(variable.shape) for variable in model.weights)
    if shapes != expected:
        missing, extra = list((expected - shapes).elements()), list((shapes - expected).elements())
        raise CheckpointError(
            f"The weights in {path} are not those of its {type(model).__name__}: "
            f"missing shapes {missing[:3]}, unexpected shapes {extra[:3]}."
        )


class NotAllowedError(Exception):
    """An HDF5 file holds something else than plain arrays; the message says what and where."""


def _shapes(file):
    """Shapes of the datasets that hold a model's weights; every object in the file is checked."""
    for where, member in plain_datasets(file):
        is_seed = where.endswith(SEED) and member.shape == SEED_SHAPE
        if not is_seed and not where.startswith(OPTIMIZER):
            yield member.shape


def plain_datasets(file):
    """All arrays of an HDF5 file, after checking that it holds nothing else.

    Args:
        file: `h5py.File`.

    Yields:
        (name, `h5py.Dataset`)

    Raises:
        NotAllowedError: there is a link out of the file, or an array that is not stored in it as it is.
    """
    seen = {h5py.h5o.get_info(file.id).addr}
    groups = [file]
    while groups:
        group = groups.pop()
        for name in group:
            where = f"{group.name.rstrip('/')}/{name}"
            if type(group.get(name, getlink=True)) is not h5py.HardLink:
                raise NotAllowedError(f"a link that leads elsewhere, {where}")
            member = group[name]
            address = h5py.h5o.get_info(member.id).addr
            if address in seen:  # even hard links can make a circle
                raise NotAllowedError(f"a second name of an object, {where}")
            seen.add(address)
            if isinstance(member, h5py.Group):
                groups.append(member)
                continue
            _check_dataset(member, where)
            yield where, member


def _check_dataset(member, where):
    if not isinstance(member, h5py.Dataset):
        raise NotAllowedError(f"an object that is no array, {where}")
    if member.is_virtual or member.external:
        raise NotAllowedError(f"an array stored in another file, {where}")
    is_numbers = member.dtype.kind in "biuf" or member.dtype == BFLOAT16
    if not is_numbers or member.shape is None:
        raise NotAllowedError(f"an array that is not of numbers, {where}")
    if member.chunks is not None or member.id.get_storage_size() != member.nbytes:
        raise NotAllowedError(f"an array that is not stored as it is, {where}")
