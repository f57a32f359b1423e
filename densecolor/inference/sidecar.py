"""A JSON file beside an output that says how it was made."""

import json

import densecolor
from densecolor.atomic import write_atomically
from densecolor.inference.picture import working_shape
from densecolor.inference.picture import working_size_of
from densecolor.shards import sha256_of

SUFFIX = ".json"
FORMAT_VERSION = 1


def sidecar_path(target):
    """Where the sidecar of an output is: beside it, with ".json" after its whole name."""
    return target.with_name(target.name + SUFFIX)


def describe_colouring(colouring, colored, working_size):
    """What a sidecar says of one colouring.

    Args:
        colouring: `densecolor.inference.file_colorizer.Colouring`.
        colored: `densecolor.inference.Colorized`, what came of it.
        working_size: int, or None for the model's own.

    Returns:
        dict of what JSON can hold.
    """
    size = working_size or working_size_of(colouring.model)
    return {
        "model": colouring.number,
        "seed": colouring.seed,
        "working_shape": working_shape(*colored.rgb.shape[:2], size),
        "share_brought_into_gamut": round(colored.gamut.reduced_share, 6),
        "mean_chroma_lost": round(colored.gamut.mean_chroma_lost, 4),
    }


def write_sidecar(target, source, pixels, settings, colourings):
    """Say of an output what it was made of and how.

    Args:
        target: path of the output.
        source: path of the input.
        pixels: (H, W) or (H, W, 3), what was colorized: the input, or for a grid of models the reduced one.
        settings: dict of what was asked for; "models" among them lists the models.
        colourings: list of what `describe_colouring` gives, in the order in which they are in the output.

    Returns:
        path of the sidecar.

    Raises:
        OSError: it cannot be written.
    """
    content = {
        "format": "densecolor-sidecar",
        "format_version": FORMAT_VERSION,
        "densecolor": densecolor.__version__,
        "input": {
            "name": source.name,
            "sha256": sha256_of(source),
            "bytes": source.stat().st_size,
        },
        "output": target.name,
        "colorized": {"height": pixels.shape[0], "width": pixels.shape[1], "bits": 8 * pixels.dtype.itemsize},
        **settings,
        "colourings": colourings,
    }
    path = sidecar_path(target)
    write_atomically(path, json.dumps(content, indent=1) + "\n")
    return path
