"""The same saved model gives the same colours on Keras' other backends; skips those that are not installed."""

import importlib.util
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from colorizer_checks import pictures
from colorizer_checks import to_numpy

from densecolor import models
from densecolor.checkpoint import save_model

MOBILENET = {"branch": "mobilenet", "branch_size": 32}
SMALL = {
    "chromagan": {"num_classes": 5, "global_size": 32, "width": 0.05},
    "colorful": {"filters": (4, 4, 6, 6, 6, 6, 6, 4)},
    "colorgan": {"filters": (4, 5, 6), "map_size": 9},
    "cyclegan": {"filters": 4, "blocks": 1},
    "dcgan": {"filters": (4, 4, 6, 8)},
    "dense": {
        **MOBILENET,
        "num_classes": 5,
        "layers_per_block": 2,
        "growth_rate": 3,
        "stem_strides": 2,
        "branch_pooling": True,
        "fc_widths": (8, 6),
    },
    "hypercolumn": {"widths": (3, 4, 4, 5, 6), "fc_width": 7, "head_width": 8},
    "iizuka": {"num_classes": 5, "global_size": 32, "width": 0.05},
    "koalarization": {**MOBILENET, "embedding": "logits", "logit_count": 9, "width": 0.05},
    "mask_guided": {"colorizer": "unet", "colorizer_options": {"filters": [4, 6]}},
    "pix2pix": {"filters": (4, 6, 8), "noise_seed": 3},
    "residual": {"num_classes": 5, "blocks": 1, "filters": 3},
    "resunet": {"filters": (4, 6, 8), "blocks": 1, "head_filters": 5},
    "scgan": {"filters": (4, 4, 5, 5, 6, 6, 7), "global_widths": (3, 4, 4, 5, 5), "saliency_width": 3},
    "smcgan": {"filters": (4, 6, 8), "blocks": 1},
    "unet": {"filters": (4, 6, 8)},
}
PREDICT = """
import sys
import keras, numpy as np
from densecolor.checkpoint import load_model
model, pixels, answers = sys.argv[1:]
outputs = load_model(model)({"lightness": np.load(pixels)})
np.savez(answers, backend=keras.backend.backend(), **{k: keras.ops.convert_to_numpy(v) for k, v in outputs.items()})
"""


def test_every_system_is_compared():
    assert {model_class for model_class, _ in models.PRESETS.values()} == {models.PRESETS[name][0] for name in SMALL}


def move_all_weights(model):
    """Away from where they start, zeros and ones among them, so that each one matters for the answer."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        noise = random.normal(0, 0.5 / np.sqrt(np.prod(variable.shape[:-1])), variable.shape)
        moved = variable + noise.astype(np.float32)
        variable.assign(abs(moved) + 0.1 if variable.name == "moving_variance" else moved)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("name", SMALL)
def test_predictions_are_those_of_tensorflow(name, backend, tmp_path):
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    keras.utils.set_random_seed(0)
    model = models.create(name, **SMALL[name])
    move_all_weights(model)
    save_model(model, tmp_path / "model.keras")
    np.save(tmp_path / "pixels.npy", pictures(2, 97, 51))
    paths = [str(tmp_path / file) for file in ("model.keras", "pixels.npy", "answers.npz")]
    environment = os.environ | {"KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", PREDICT, *paths], env=environment, check=True)
    answers = np.load(tmp_path / "answers.npz")
    assert answers["backend"] == backend
    outputs = to_numpy(model(pictures(2, 97, 51)))
    assert set(answers.files) == {"backend", *outputs}
    for output, value in outputs.items():
        assert value.std() > 1e-3  # else there is nothing to compare
        np.testing.assert_allclose(answers[output], value, atol=1e-4)
