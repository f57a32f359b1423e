"""Everything that can be scored is a function from lightness to ab; here, models as such."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np

from densecolor.checkpoint import load_model
from densecolor.color import denormalize_ab
from densecolor.color import normalize_lightness
from densecolor.errors import DensecolorError
from densecolor.evaluation.names import RESERVED
from densecolor.evaluation.provenance import describe_model

_RUN_FILES = {"best", "final"}  # checkpoints named after their run, not after themselves


@dataclasses.dataclass(frozen=True)
class System:
    """One line of the comparison.

    Attributes:
        name: unique in the comparison.
        predict: function of L, float32 (batch, S, S) in [0, 100]; returns ab, float32 (batch, S, S, 2) in
            [-128, 127], and class indices (batch,), or None where it predicts none.
        about: what the report says of it; plain JSON.
    """

    name: str
    predict: Callable
    about: dict


def model_systems(models, class_count, trust=False, working_size=None):
    """Models, however they were given, as systems.

    Args:
        models: as in `evaluate`.
        class_count: classes of the data; a model that knows another number of them is not judged by its classes.
        trust: hand checkpoints that are not ours to Keras.
        working_size: as in `evaluate`.

    Returns:
        list of System, in the order given.

    Raises:
        CheckpointError: a model is not there or does not load.
        DensecolorError: no model, one without a name, or two of the same name.
    """
    systems = []
    for name, model in named_models(models):
        about = {"kind": "model"}
        if _is_path(model):
            about["checkpoint"] = "/".join(Path(model).resolve().parts[-2:])
            model = load_model(model, trust=trust)
        side = working_size or getattr(model, "working_size", None)
        about["working_size"] = side
        if isinstance(model, keras.Model):
            about |= describe_model(model)
        else:
            about["function"] = True  # nothing says whether it is the same another time
        systems.append(System(name, _Prediction(name, model, class_count, side), about))
    return systems


class _Prediction:
    """A model's prediction, checked and in Lab units, as `System.predict` wants it."""

    def __init__(self, name, model, class_count, working_size):
        self._name = name
        self._function = model.predict_on_batch if isinstance(model, keras.Model) else model
        self._class_count = class_count
        self._working_size = working_size

    def __call__(self, lightness):
        side = lightness.shape[1]
        working_side = min(side, self._working_size or side)
        small = _resize(lightness, working_side, cv2.INTER_AREA)
        outputs = self._function(normalize_lightness(small)[..., None])
        ab = np.asarray(self._output(outputs, "ab"), np.float32)
        if ab.shape != (*small.shape, 2):
            raise DensecolorError(f"{self._name} gives ab of shape {ab.shape} for pictures of shape {small.shape}.")
        if not np.isfinite(ab).all():
            raise DensecolorError(f"{self._name} predicts NaN or infinite colours; its training has diverged.")
        ab = np.clip(_resize(denormalize_ab(ab), side, cv2.INTER_LINEAR), -128, 127)
        return ab, self._classes(outputs)

    def _output(self, outputs, name):
        if not isinstance(outputs, dict) or name not in outputs:
            raise DensecolorError(f"{self._name} is no colorizer: it must return a dict with {name!r} in it.")
        return outputs[name]

    def _classes(self, outputs):
        if "label" not in outputs or outputs["label"].shape[-1] != self._class_count:
            return None
        return np.argmax(outputs["label"], axis=-1)


def _resize(pictures, side, interpolation):
    if pictures.shape[1] == side:
        return pictures
    return np.stack([cv2.resize(picture, (side, side), interpolation=interpolation) for picture in pictures])


def named_models(models):
    """Pairs (name, model) of models, however they were given; names are unique and not a baseline's."""
    if isinstance(models, dict):
        named = list(models.items())
    else:
        models = list(models) if isinstance(models, list | tuple) else [models]
        short = [_short_name(model) for model in models]
        full = [str(model) if _is_path(model) else name for name, model in zip(short, models, strict=True)]
        names = [s if short.count(s) == 1 else f for s, f in zip(short, full, strict=True)]
        named = list(zip(names, models, strict=True))
    if not named:
        raise DensecolorError("There is no model to evaluate. Give a checkpoint, a run directory or a Keras model.")
    require_names([name for name, _ in named])
    return named


def require_names(names):
    """Raise DensecolorError for names of systems that come twice or are a baseline's."""
    for name in names:
        if name in RESERVED or names.count(name) > 1:
            reason = "is kept for a baseline" if name in RESERVED else "comes twice"
            raise DensecolorError(f"The model name {name!r} {reason}. Rename it, or give a dict of names to models.")


def _is_path(model):
    return isinstance(model, str | Path)


def _short_name(model):
    if not _is_path(model):
        name = model.name if isinstance(model, keras.Model) else getattr(model, "__name__", None)
        if name is None:
            raise DensecolorError(f"{model!r} has no name. Give a dict of names to models.")
        return name
    path = Path(model).resolve()
    if path.suffix != ".keras":
        return path.name
    return path.parent.name if path.stem in _RUN_FILES else path.stem
