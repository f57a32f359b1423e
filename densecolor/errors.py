"""The errors that a user can mend; commands print them in one line and exit with 1."""


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


class TrainingError(DensecolorError):
    """A training run cannot start, cannot go on, or has diverged."""


def require_choice(name, value, choices, error=DensecolorError):
    """Raise `error`, listing the choices, unless `value` is one of them."""
    if value not in choices:
        raise error(f"Unknown {name}={value!r}. Choose from {', '.join(choices)}.")
