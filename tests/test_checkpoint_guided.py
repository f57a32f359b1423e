"""Checkpoints of models that are made of others, or that learn masks: `test_checkpoint` has what holds for all."""

import numpy as np
import pytest
from test_checkpoint import rewrite
from test_checkpoint import with_arguments

from densecolor import models
from densecolor.checkpoint import check_savable
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.checkpoint.size import least_parameters
from densecolor.errors import CheckpointError

SCGAN = {"filters": (2,) * 7, "global_widths": (2,) * 5, "saliency_width": 2}
GUIDED = {"colorizer": "unet", "colorizer_options": {"filters": [2, 4]}, "mask_width": 2}


@pytest.fixture
def path(tmp_path):
    save_model(models.create("mask_guided", **GUIDED), tmp_path / "model.keras")
    return tmp_path / "model.keras"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("scgan", SCGAN),
        ("scgan", {"filters": (2, 3, 2, 3, 2, 64, 48), "global_widths": (2, 3, 4, 5, 64), "saliency_width": 64}),
        ("scgan", {"filters": (64, 2, 64, 2, 64, 2, 64), "global_features": False, "saliency": False}),
        ("smcgan", {"filters": (2, 4), "blocks": 1, "mask": False}),
        ("smcgan", {"filters": (64, 2, 64), "blocks": 3}),
        ("mask_guided", GUIDED),
        ("mask_guided_small", {"num_classes": 5000}),
        ("mask_guided", {"colorizer": "iizuka_small", "num_classes": 0}),
    ],
)
def test_a_model_has_no_fewer_parameters_than_it_is_held_to(name, options):
    model = models.create(name, **options)
    assert 0 < least_parameters(type(model), model.get_config()) <= model.count_params()


@pytest.mark.parametrize(
    ("name", "tiny", "huge"),
    [
        ("scgan", SCGAN, {"filters": [4096] * 9}),
        ("scgan", SCGAN, {"global_widths": [4096] * 5}),
        ("scgan", SCGAN, {"saliency_width": 4096}),
        ("smcgan", {"filters": (2, 4), "blocks": 1}, {"filters": [4096] * 5}),
        ("smcgan", {"filters": (2, 4), "blocks": 1}, {"filters": [2, 512], "blocks": 64}),
        ("mask_guided", GUIDED, {"colorizer_options": {"filters": [4096] * 4}}),
        ("mask_guided", GUIDED, {"colorizer": "hypercolumn_light", "colorizer_options": {}}),
        ("mask_guided", GUIDED, {"colorizer": "dense", "colorizer_options": {"fc_widths": [4096] * 16}}),
    ],
)
def test_nothing_large_is_built_for_a_small_file(name, tiny, huge, tmp_path):
    save_model(models.create(name, **tiny), tmp_path / "model.keras")
    rewrite(tmp_path / "model.keras", edit_config=with_arguments(**huge))
    with pytest.raises(CheckpointError, match=r"parameters, but has only [\d,]+ bytes|is made of 'hypercolumn_light'"):
        load_model(tmp_path / "model.keras")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"colorizer": "mask_guided"}, "is made of 'mask_guided': A mask branch needs"),
        ({"colorizer": "os.system"}, "is made of 'os.system'"),
        ({"colorizer": ["unet"]}, "not allowed: colorizer="),
        ({"colorizer_options": {"filters": [2, 10**9]}}, "not allowed: filters="),
        ({"colorizer_options": {"layers": 3}}, r"arguments that UNetColorizer does not know: \['layers'\]"),
        ({"colorizer_options": {"colorizer_options": {}}}, "does not know: .'colorizer_options'"),
        ({"colorizer_options": {"filters": {"class_name": "Lambda"}}}, "not allowed: filters="),
        ({"colorizer_options": {"name": "other"}}, "cannot be built: `colorizer_options` has 'name'"),
        ({"colorizer_options": [["filters", [2]]]}, "not allowed: colorizer_options="),
        ({"colorizer_options": "filters"}, "cannot be built"),
        ({"mask_share": -1}, "not allowed: mask_share="),
        ({"guide": "concrete", "mask_share": 2}, "cannot be built: `mask_share` must be above 0"),
        ({"mask_width": 1000}, "not allowed: mask_width="),
    ],
)
def test_bad_arguments_are_refused(arguments, message, path):
    rewrite(path, edit_config=with_arguments(**arguments))
    with pytest.raises(CheckpointError, match=message):
        load_model(path)


@pytest.mark.parametrize("value", ["imagenet", "/etc/passwd", "nowhere.weights.h5"])
def test_no_file_opens_another_one_or_causes_a_download(value, tmp_path):
    path = tmp_path / "model.keras"
    inner = {"branch": "mobilenet", "branch_size": 32, "embedding": "pooled", "width": 0.05}
    save_model(models.create("mask_guided", colorizer="koalarization", colorizer_options=inner, mask_width=2), path)
    rewrite(path, edit_config=with_arguments(colorizer_options=inner | {"branch_weights": value}))
    assert "branch_weights" not in load_model(path).colorizer_options
    save_model(models.create("scgan", **SCGAN), path)
    rewrite(path, edit_config=with_arguments(branch_weights=value))
    assert load_model(path).get_config()["branch_weights"] is None


def test_an_inner_argument_beyond_what_files_may_have_is_not_saved():
    model = models.create("mask_guided", colorizer="unet", colorizer_options={"filters": [2] * 17}, mask_width=2)
    with pytest.raises(CheckpointError, match="not allowed: filters="):
        check_savable(model)


def test_vectors_and_random_states_come_back(tmp_path):
    model = models.create("scgan", **SCGAN)
    x = np.random.default_rng(0).uniform(-1, 1, (1, 20, 30, 1)).astype(np.float32)
    for _ in range(3):
        model(x, training=True)
    save_model(model, tmp_path / "model.keras")
    for variable, other in zip(model.weights, load_model(tmp_path / "model.keras").weights, strict=True):
        np.testing.assert_array_equal(variable, other)
    concrete = models.create("smcgan", filters=(2, 4), blocks=1, guide="concrete")
    concrete(x, training=True)
    save_model(concrete, tmp_path / "concrete.keras")
    np.testing.assert_array_equal(load_model(tmp_path / "concrete.keras")(x)["mask"], concrete(x)["mask"])
