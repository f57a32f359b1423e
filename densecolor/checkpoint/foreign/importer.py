"""One function for all systems whose weights we import."""

from densecolor.checkpoint.foreign import chromagan
from densecolor.checkpoint.foreign import colorful
from densecolor.checkpoint.foreign import pix2pix
from densecolor.checkpoint.foreign import scgan
from densecolor.checkpoint.foreign.tensors import read_tensors
from densecolor.errors import CheckpointError
from densecolor.errors import require_choice

# Each has `build(tensors)` and `slots(model)`, and `rename(tensors)` where names depend on more than the network.
SYSTEMS = {"chromagan": chromagan, "colorful": colorful, "pix2pix": pix2pix, "scgan": scgan}
SHOWN = 8  # differences that a message lists


def import_model(system, path):
    """Build a model of ours with the weights that a system's authors have released.

    Args:
        system: a name in `SYSTEMS`. "colorful": the PyTorch release of Zhang R. et al., "Colorful Image
            Colorization", ECCV 2016, a state dict of the network `eccv16`. "scgan": the PyTorch release of Zhao Y. et
            al., 2021. "chromagan": the Keras 2 release of Vitoria et al., 2020, a model or weights file. "pix2pix": a
            generator of the PyTorch port of Isola et al., 2017, from L to ab or RGB.
        path: the file, as downloaded from its authors (`.pth`, `.h5`), or the same tensors as `.safetensors`.

    Returns:
        A `keras.Model` whose colours are those of the released network.

    Raises:
        CheckpointError: the file cannot be read, or its tensors are not exactly those of the published network; the
            message lists the differences.
        DensecolorError: the system is unknown, or torch or safetensors (the extra `import`) is not installed.

    Example:
        >>> model = import_model("colorful", "colorization_release_v2-9b330a0b.pth")
        >>> densecolor.save_model(model, "zhang2016.keras")
    """
    require_choice("system", system, sorted(SYSTEMS))
    tensors = read_tensors(path)
    own = SYSTEMS[system]
    tensors = own.rename(tensors) if hasattr(own, "rename") else tensors
    model = own.build(tensors)
    slots = own.slots(model)
    differences = _differences(tensors, slots)
    if differences:
        more = f"; and {len(differences) - SHOWN} more" if len(differences) > SHOWN else ""
        raise CheckpointError(
            f"{path} does not hold the weights of {system!r}, {len(differences)} differences: "
            f"{'; '.join(differences[:SHOWN])}{more}."
        )
    for name, array in tensors.items():
        slot = slots[name]
        if slot.variable is not None:
            slot.variable.assign(slot.convert(array))
    return model


def _differences(tensors, slots):
    """What keeps the tensors from filling the slots, one phrase each."""
    wanted = [name for name, slot in slots.items() if slot.variable is not None]
    missing = [f"{name} is missing" for name in wanted if name not in tensors]
    unknown = [f"{name} {tensors[name].shape} is unknown" for name in tensors if name not in slots]
    shapes = [
        f"{name} has shape {tensors[name].shape}, expected {tuple(slot.shape)}"
        for name, slot in slots.items()
        if name in tensors and tensors[name].shape != tuple(slot.shape)
    ]
    return missing + unknown + shapes
