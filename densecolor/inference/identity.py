"""Which model it is, whatever it is called and wherever it lies."""

import hashlib
import json

import numpy as np


def identify_model(model):
    """A name for what a model computes: the SHA-256 of its class, its arguments and its weights.

    Args:
        model: `keras.Model`, or an object that has `fingerprint`, a str.

    Returns:
        str of 64 hexadecimal digits.

    Example:
        >>> identify_model(model) == identify_model(densecolor.load_model("runs/first"))
        True
    """
    if hasattr(model, "fingerprint"):
        return model.fingerprint
    digest = hashlib.sha256(type(model).__name__.encode())
    digest.update(json.dumps(model.get_config(), sort_keys=True, default=str).encode())
    for weight in model.get_weights():
        digest.update(np.ascontiguousarray(weight).tobytes())
    return digest.hexdigest()
