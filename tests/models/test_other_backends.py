"""The same saved model gives the same colours on Keras' other backends; skips those that are not installed."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from colorizer_checks import pictures
from colorizer_checks import to_numpy

from densecolor import models
from densecolor.checkpoint import save_model

SMALL = {
    "colorful": {"filters": (4, 4, 6, 6, 6, 6, 6, 4)},
    "hypercolumn": {"widths": (3, 4, 4, 5, 6), "fc_width": 7, "head_width": 8},
    "mask_guided": {"colorizer": "unet", "colorizer_options": {"filters": [4, 6]}, "guide": "concrete"},
    "scgan": {"filters": (4, 4, 5, 5, 6, 6, 7), "global_widths": (3, 4, 4, 5, 5), "saliency_width": 3},
    "smcgan": {"filters": (4, 6, 8), "blocks": 1},
}
PREDICT = """
import sys
import keras, numpy as np
from densecolor.checkpoint import load_model
model, pixels, answers = sys.argv[1:]
outputs = load_model(model)({"lightness": np.load(pixels)})
np.savez(answers, backend=keras.backend.backend(), **{k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()})
"""


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("name", SMALL)
def test_predictions_are_those_of_tensorflow(name, backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    model = models.create(name, **SMALL[name])
    random = np.random.default_rng(0)
    for variable in model.trainable_variables:
        variable.assign(random.normal(0, 0.3, variable.shape))
    save_model(model, tmp_path / "model.keras")
    np.save(tmp_path / "pixels.npy", pictures(2, 97, 51))
    paths = [str(tmp_path / file) for file in ("model.keras", "pixels.npy", "answers.npz")]
    environment = os.environ | {"KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", PREDICT, *paths], env=environment, check=True)
    answers = np.load(tmp_path / "answers.npz")
    assert answers["backend"] == backend
    for output, value in to_numpy(model(pictures(2, 97, 51))).items():
        np.testing.assert_allclose(answers[output], value, atol=1e-4)
