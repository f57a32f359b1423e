import json
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from densecolor.checkpoint import load_model
from densecolor.dataset import BatchReader
from densecolor.dataset.batches import model_values
from densecolor.embedding import embed
from densecolor.errors import DensecolorError
from densecolor.errors import TrainingError
from densecolor.evaluation import evaluate
from densecolor.models.class_branch import create_backbone
from densecolor.training import TrainConfig
from densecolor.training import dry_run
from densecolor.training import train

TINY = {"epochs": 2, "batch_size": 8, "samples": 2, "learning_rate": 3e-3, "augment": False}
HEAD = {"branch": "mobilenet", "embedding_input": True, "width": 0.05}


@pytest.fixture(scope="module")
def embedded(packed, mobilenet_weights, tmp_path_factory):
    """A packed folder with logits of a MobileNet beside it, and the file of its weights."""
    options, weights = mobilenet_weights
    folder = shutil.copytree(packed, tmp_path_factory.mktemp("embedded") / "data")
    embed(folder, **options, weights=weights, dtype="float32")
    return folder, weights


def test_a_run_on_embeddings_ends_with_models_that_take_lightness(embedded, tmp_path):
    folder, weights = embedded
    config = TrainConfig(folder, "koalarization", HEAD | {"branch_weights": str(weights)}, **TINY)
    lines = []
    head = train(config, tmp_path / "run", report=lines.append)
    assert set(head.input) == {"lightness", "embedding"}
    assert head.count_params() < 100_000  # none of the MobileNet's three million
    inputs, _, _ = model_values(BatchReader(folder, "validation", embedding="mobilenet").read(0, 0), ("ab",))
    for name in ("best", "final"):
        whole = load_model(tmp_path / "run" / f"{name}.keras")
        assert not whole.embedding_input
        colors = keras.ops.convert_to_numpy(whole(inputs["lightness"])["ab"])
        assert np.ptp(colors) > 0.01
        if name == "final":
            np.testing.assert_allclose(colors, keras.ops.convert_to_numpy(head(inputs)["ab"]), atol=1e-3)
    assert evaluate(tmp_path / "run", folder).results["run"]["psnr"].mean > 10
    assert sorted(path.name for path in (tmp_path / "run/samples").iterdir()) == ["epoch-0001.png", "epoch-0002.png"]
    before = load_model(tmp_path / "run").get_weights()
    train(config, tmp_path / "run", resume=True, report=lines.append)  # nothing is left to train
    for again, weight in zip(load_model(tmp_path / "run").get_weights(), before, strict=True):
        np.testing.assert_array_equal(again, weight)


def test_without_the_weights_the_run_says_how_to_join(embedded, tmp_path):
    folder, _ = embedded
    lines = []
    train(TrainConfig(folder, "koalarization", HEAD, **TINY | {"epochs": 1}), tmp_path / "run", report=lines.append)
    assert "with_backbone" in lines[-1]
    assert load_model(tmp_path / "run" / "final.keras").embedding_input
    with pytest.raises(DensecolorError, match="was trained on precomputed embeddings"):
        evaluate(tmp_path / "run", folder)


def test_a_dry_run_reads_the_embeddings(embedded, tmp_path):
    folder, _ = embedded
    plan = dry_run(TrainConfig(folder, "koalarization", HEAD, **TINY))
    assert plan.parameters < 100_000


def test_embeddings_that_do_not_fit_the_model_are_refused(embedded, tmp_path):
    folder, _ = embedded
    create_backbone("mobilenet", 32, logit_count=6).save_weights(tmp_path / "other.weights.h5")
    for wrong, message in (
        ({"embedding": "pooled"}, r"expects pooled of mobilenet at 32, 1024 values; .* are logits .* Leave out"),
        ({"branch_size": 64}, "expects logits of mobilenet at 64"),
        ({"branch_weights": str(tmp_path / "other.weights.h5")}, "were not made with the weights"),
    ):
        with pytest.raises(TrainingError, match=message):
            train(TrainConfig(folder, "koalarization", HEAD | wrong, **TINY), tmp_path / "run", report=str)
    with pytest.raises(FileNotFoundError, match="Make it with densecolor-embed"):
        train(TrainConfig(folder, "koalarization", HEAD | {"branch": "vgg16"}, **TINY), tmp_path / "run", report=str)
    assert not (tmp_path / "run").exists()


def test_the_command_trains_on_them(embedded, tmp_path):
    folder, weights = embedded
    options = [f"{name}={json.dumps(value)}" for name, value in HEAD.items()]
    options += [f"branch_weights={weights}"]
    arguments = [str(folder), "run", "--model", "koalarization", "--batch-size", "8", "--epochs", "1"]
    arguments += [part for option in options for part in ("-o", option)]
    command = [sys.executable, "-c", "from densecolor.cli.train import main; main()", *arguments]
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert not load_model(tmp_path / "run").embedding_input
