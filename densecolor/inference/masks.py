"""Where a mask-guided model sees the foreground."""

import cv2
import numpy as np

from densecolor.errors import DensecolorError
from densecolor.inference.picture import as_model
from densecolor.inference.picture import reduced_lightness
from densecolor.inference.picture import working_size_of
from densecolor.inference.prediction import predict_outputs


def has_mask(model):
    """Whether a model predicts a mask beside colours."""
    return "mask" in getattr(model, "output_names", ())


def predict_mask(pixels, model, working_size=None):
    """Predict the mask of a picture, at the size that the model works at, and enlarge it plainly.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3), sRGB.
        model: mask-guided Keras model, or the path of one.
        working_size: see `colorize`.

    Returns:
        float32 (H, W) in [0, 1], 1 for the foreground.

    Raises:
        DensecolorError: the model predicts no mask.
        CheckpointError: see `colorize`.

    Example:
        >>> mask = predict_mask(picture.pixels, "runs/guided")
    """
    model = as_model(model)
    if not has_mask(model):
        raise DensecolorError(f"Model {model.name!r} predicts no mask. Mask-guided models do.")
    outputs = predict_outputs(reduced_lightness(pixels, working_size or working_size_of(model)), model)
    mask = np.asarray(outputs["mask"][0, ..., 0], np.float32)
    height, width = pixels.shape[:2]
    return np.clip(cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR), 0, 1)
