"""What people may ask of a model's colours: more or less of them, surer ones, other ones."""

import functools
import math

import numpy as np

from densecolor.errors import DensecolorError
from densecolor.inference.distributions import decode_bins
from densecolor.inference.distributions import decode_hue_chroma

MAX_SATURATION = 10.0
# Which output holds a distribution of colours, and what makes colours of it.
_DECODERS = {"ab_distribution": decode_bins, "hue_chroma_distribution": decode_hue_chroma}


def controlled(model, *, saturation=1.0, temperature=None, sample=None, serve=lambda model: model):
    """A model whose colours are changed as asked.

    Args:
        model: Keras model, or a runtime's.
        saturation: float in [0, 10]: a and b times this. 0 is gray, 1 as predicted.
        temperature: float in (0, 1], for models that predict distributions of colours; None takes the model's own. 1
            is the mean or median, towards 0 the likeliest colour. For `colorful` and `resunet` it is that of the
            annealed mean, for `hypercolumn` its histograms are sharpened by it (1).
        sample: int, seed of one of the colourings that a diverse model has; None for the model's first choice. Models
            with noise have another noise for each; of distributions one is drawn, see
            `densecolor.inference.distributions`.
        serve: function of the model that is really called, for calls from other threads.

    Returns:
        the model itself where nothing is asked, else an object with `predict_on_batch`, `name` and `working_size`.

    Raises:
        DensecolorError: a value is out of range, or the model has no distributions or only one colouring.

    Example:
        >>> vivid = controlled(densecolor.load_model("runs/colorful"), saturation=1.2, temperature=0.2)
        >>> rgb = densecolor.colorize(picture, vivid)
    """
    check_control(model, saturation, temperature, sample)
    output = decode = None
    if sample is not None and _has_noise(model):
        model = model.sample(sample)
    elif sample is not None or temperature is not None:
        output = _distribution_of(model)
        temperature = temperature or _own_temperature(model, output)
        decode = functools.partial(_DECODERS[output], temperature=temperature)
    served = serve(model)
    if decode is None and saturation == 1:
        return served
    return _Controlled(served, output, decode, sample, saturation)


def check_control(model, saturation=1.0, temperature=None, sample=None):
    """Raise what `controlled` would, before any work.

    Raises:
        DensecolorError: see `controlled`.
    """
    if not 0 <= saturation <= MAX_SATURATION or math.isnan(saturation):
        raise DensecolorError(f"`saturation` must be in [0, {MAX_SATURATION:.0f}]. Received: {saturation}.")
    if temperature is not None and not 0 < temperature <= 1:
        raise DensecolorError(f"`temperature` must be above 0 and at most 1. Received: {temperature}.")
    if temperature is not None and _distribution_of(model) is None:
        raise DensecolorError(
            f"Model {model.name!r} predicts colours, not distributions of them, so that it has no temperature. The "
            "presets of resunet (and so the default model), colorful and hypercolumn have one."
        )
    if sample is not None and sample < 0:
        raise DensecolorError(f"`sample` must be at least 0. Received: {sample}.")
    if sample is not None and not _has_noise(model) and _distribution_of(model) is None:
        raise DensecolorError(
            f"Model {model.name!r} has one colouring for a picture: it has no noise and predicts no distribution. "
            "Several samples need the default model, or a preset of colorgan, resunet, colorful or hypercolumn."
        )


class _Controlled:
    """A model with its colours changed."""

    def __init__(self, model, output, decode, seed, saturation):
        self._model = model
        self._output = output
        self._decode = decode
        self._seed = seed
        self._saturation = np.float32(saturation)

    def predict_on_batch(self, inputs):
        outputs = self._model.predict_on_batch(inputs)
        if not isinstance(outputs, dict) or "ab" not in outputs:
            return outputs  # which is for the caller to say
        ab = outputs["ab"]
        if self._decode is not None:
            random = None if self._seed is None else np.random.default_rng(self._seed)
            if self._output not in outputs:
                raise DensecolorError(f"The distributions of model {self.name!r} cannot be had with `native`.")
            ab = self._decode(outputs, inputs["lightness"], random=random)
        return {**outputs, "ab": np.asarray(ab, np.float32) * self._saturation}

    def __getattr__(self, name):
        return getattr(self._model, name)


def _has_noise(model):
    return hasattr(model, "sample")


def _distribution_of(model):
    """The name of the output that is a distribution of colours, or None."""
    return next((name for name in _DECODERS if name in getattr(model, "output_names", ())), None)


def _own_temperature(model, output):
    return model.get_layer("decode").temperature if output == "ab_distribution" else 1.0
