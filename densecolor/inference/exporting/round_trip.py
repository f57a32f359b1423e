"""What was exported must give the model's colours: both are run on the same lightness."""

import keras
import numpy as np

from densecolor.color import AB_SCALE
from densecolor.errors import ExportError
from densecolor.inference.exporting.formats import reason_of

# Batch, height and width: several pictures at once, odd sizes, and sizes in an order that one graph must serve.
SHAPES = ((1, 64, 64), (2, 97, 131), (1, 40, 33))
# In units of a and b. Kernels that add up in another order differ by less than a thousandth; what 8-bit pictures can
# show begins at about 0.5.
TOLERANCE = 0.05


def round_trip(model, run, format, shapes=SHAPES):
    """Compare an exported model with Keras.

    Args:
        model: the `keras.Model`.
        run: function from lightness to outputs, of the exported one.
        format: what it was exported to, for the error.
        shapes: of the lightness, (batch, H, W) each.

    Returns:
        dict of shape to the largest difference of a and b, in their own units.

    Raises:
        ExportError: a difference is above `TOLERANCE`, or the exported model cannot take one of the shapes.
    """
    random = np.random.default_rng(0)
    differences = {}
    for shape in shapes:
        lightness = random.uniform(-1, 1, (*shape, 1)).astype(np.float32)
        outputs = model({"lightness": lightness}, training=False)
        if not isinstance(outputs, dict) or "ab" not in outputs:
            raise ExportError(f"Model {model.name!r} is no colorizer: it does not return a dict with 'ab'.")
        expected = keras.ops.convert_to_numpy(outputs["ab"])
        where = f"{shape[0]} picture(s) of {shape[1]} x {shape[2]}"
        try:
            got = run(lightness)["ab"]
        except Exception as error:  # the runtimes' own, which share no base
            raise ExportError(
                f"Model {model.name!r}, exported to {format}, cannot take {where}: {reason_of(error)}"
            ) from error
        if got.shape != expected.shape:
            raise ExportError(
                f"Model {model.name!r}, exported to {format}, turns {where} into {got.shape} instead of "
                f"{expected.shape}."
            )
        differences[shape] = float(AB_SCALE * np.abs(got - expected).max())
        if not differences[shape] <= TOLERANCE:
            raise ExportError(
                f"Model {model.name!r}, exported to {format}, differs from Keras by {differences[shape]:.3g} units of "
                f"a and b on {where}; at most {TOLERANCE} is allowed."
            )
    return differences
