"""The errors that a user can mend; commands print them in one line and exit with 1."""

import contextlib
import importlib


class DensecolorError(ValueError):
    """Something in the user's input is wrong; the message names it and says what to do.

    A `ValueError`, so that notebook code may catch it without knowing densecolor.
    """


class ImageError(DensecolorError):
    """A picture cannot be read, or cannot be written as asked."""


class SourceError(DensecolorError):
    """A source of pictures (folder, zip, list file) is not what its layout says."""


class ShardError(DensecolorError):
    """A shard or a packed dataset is damaged, foreign or of a newer version."""


class CheckpointError(DensecolorError):
    """A checkpoint is not one of ours, or carries what it must not."""


class ExportError(DensecolorError):
    """A model cannot be exported to a format, or what was exported does not give the model's colours."""


class TrainingError(DensecolorError):
    """A training run cannot start, cannot go on, or has diverged."""


class StudyError(DensecolorError):
    """A human study cannot be made, served or read."""


class FilmError(DensecolorError):
    """A film cannot be read or written, or ends before its end."""


class WebError(DensecolorError):
    """The page cannot be served, or was sent what it does not take."""


def require_choice(name, value, choices, error=DensecolorError):
    """Raise `error`, listing the choices, unless `value` is one of them."""
    if value not in choices:
        raise error(f"Unknown {name}={value!r}. Choose from {', '.join(choices)}.")


@contextlib.contextmanager
def failed_downloads_named(network):
    """Say what to do where Keras cannot download the published weights of a network.

    Args:
        network: its name.

    Raises:
        DensecolorError: in place of the bare exception that Keras then raises.

    Example:
        >>> with failed_downloads_named("vgg16"):
        ...     keras.applications.VGG16(weights="imagenet")
    """
    try:
        yield
    except Exception as error:
        if type(error) is not Exception:
            raise
        raise DensecolorError(
            f"The ImageNet weights of {network} cannot be downloaded ({error}). Give the path of a file of them "
            'instead of "imagenet".'
        ) from error


def load_weights(network, path, called, written_for):
    """Load a file of weights into a network.

    Args:
        network: `keras.Model`.
        path: of the file.
        called: the network in the words of the error, such as "VGG-16".
        written_for: what `save_weights` must have written the file for, in the words of the error.

    Raises:
        DensecolorError: there is no such file, or it holds weights of another network.
    """
    try:
        network.load_weights(path)
    except (OSError, ValueError, KeyError) as error:
        raise DensecolorError(
            f"The weights {str(path)!r} could not be loaded into {called}: {error} Give a file that `save_weights` "
            f"wrote for {written_for}."
        ) from error


def require_package(name, extra):
    """Import a package that only some features need.

    Args:
        name: of the module.
        extra: the extra of ours that brings it.

    Returns:
        the module.

    Raises:
        DensecolorError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name.partition(".")[0]:
            raise
        raise DensecolorError(f'{name} is not installed. Install it with: pip install "densecolor[{extra}]"') from None
