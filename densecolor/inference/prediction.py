"""One call of the network."""

import numpy as np

from densecolor.color import denormalize_ab
from densecolor.color import normalize_lightness
from densecolor.errors import CheckpointError


def predict_outputs(lightness, model, vectors=None):
    """Predict for one picture, at its own resolution.

    Args:
        lightness: float32 (h, w), L.
        model: Keras model, or anything else with `name` and `predict_on_batch`.
        vectors: dict of further inputs, each with a batch axis, or None.

    Returns:
        dict of what the model returns, with `ab` as float32 (h, w, 2), a and b.

    Raises:
        CheckpointError: the model takes another input, or does not predict `ab`, or predicts NaN.
    """
    inputs = {"lightness": normalize_lightness(lightness)[None, ..., None], **(vectors or {})}
    try:
        outputs = model.predict_on_batch(inputs)
    except (ValueError, TypeError, KeyError) as error:  # what Keras raises for inputs that a model does not take
        reason = str(error).strip().partition("\n")[0]
        raise CheckpointError(f"Model {model.name!r} does not take 'lightness': {reason}") from error
    if not isinstance(outputs, dict) or "ab" not in outputs:
        raise CheckpointError(f"Model {model.name!r} is no colorizer: it does not return a dict with 'ab'.")
    ab = np.asarray(outputs["ab"][0], np.float32)
    if not np.isfinite(ab).all():
        raise CheckpointError(f"Model {model.name!r} predicts NaN or infinite colours; its training has diverged.")
    return {**outputs, "ab": denormalize_ab(ab)}
