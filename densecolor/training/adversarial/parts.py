"""What the rest of training asks a model for, whether it is a colorizer alone or one with an adversary."""


def colorizer_of(model):
    """The colorizer that is trained: what is saved, and what users get.

    Args:
        model: a colorizer, or an `AdversarialColorizer`.
    """
    return getattr(model, "generator", model)


def optimizers_of(model):
    """All optimizers whose states a run needs to go on, the colorizer's first.

    Args:
        model: as `colorizer_of`, compiled.

    Returns:
        list of `keras.optimizers.Optimizer`.
    """
    other = getattr(model, "discriminator_optimizer", None)
    return [model.optimizer] if other is None else [model.optimizer, other]


def target_names(model):
    """The targets that a batch must have: those of the outputs, and what the adversary needs beside them.

    Args:
        model: as `colorizer_of`.

    Returns:
        tuple of str, of `densecolor.dataset.TARGETS`.
    """
    return tuple(getattr(model, "target_names", model.output_names))


def judged_colors(generator):
    """What discriminators see of a colorizer's colours: `rgb` or `lab` where it predicts them, else `ab`.

    Args:
        generator: a colorizer.
    """
    return next((name for name in ("rgb", "lab") if name in generator.output_names), "ab")


def is_unpaired(colorizer):
    """Whether a colorizer learns from pictures that do not belong together, as CycleGAN does.

    Args:
        colorizer: a colorizer.
    """
    return hasattr(colorizer, "translator")
