import json

import numpy as np
import pytest
import typer.testing
from conftest import write_packed

from densecolor.cli.common import new_app
from densecolor.cli.inspect import inspect as inspect_command
from densecolor.color.ab_bins import AB_BINS
from densecolor.color.ab_bins import encode_ab
from densecolor.dataset import iterate
from densecolor.errors import ShardError
from densecolor.inspection import compute_ab_prior
from densecolor.inspection import read_ab_prior
from densecolor.inspection import write_ab_prior
from densecolor.training import TrainConfig
from densecolor.training import train


@pytest.fixture
def folder(tmp_path, crops):
    labels = np.zeros(30, int)
    return write_packed(tmp_path / "p", {"train": (crops[:12], labels[:12]), "validation": (crops[12:], labels[12:])})


def test_prior_is_the_smoothed_mean_of_the_encoded_training_pictures(folder):
    pictures = np.stack([record.ab for record in iterate(folder, "train")]).astype(np.float32)
    mean = encode_ab(pictures).mean(axis=(0, 1, 2), dtype=np.float64)
    kernel = np.exp(-np.square(AB_BINS[:, None] - AB_BINS).sum(axis=-1) / 50)
    expected = (mean[:, None] * kernel / kernel.sum(axis=1, keepdims=True)).sum(axis=0)
    prior = compute_ab_prior(folder)
    np.testing.assert_allclose(prior, expected, rtol=1e-4, atol=1e-12)
    assert prior.sum() == pytest.approx(1)
    first = encode_ab(pictures[:1]).mean(axis=(0, 1, 2))
    assert np.abs(compute_ab_prior(folder, limit=1) - first).sum() < np.abs(prior - first).sum()


def test_what_is_written_is_read_back_and_bound_to_the_manifest(folder):
    assert read_ab_prior(folder) is None
    path = write_ab_prior(folder)
    assert path == folder / "ab-prior.json"
    assert json.loads(path.read_text())["pictures"] == 12
    np.testing.assert_array_equal(read_ab_prior(folder), compute_ab_prior(folder))
    manifest = folder / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"rejected": 0', '"rejected": 1'))
    with pytest.raises(ShardError, match=r"ab-prior\.json was made of other pictures .*inspect .* --ab-prior again"):
        read_ab_prior(folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda document: "[", "is damaged"),
        (lambda document: [], "is damaged"),
        (lambda document: document | {"prior": [1.0]}, "no distribution over 313 bins"),
        (lambda document: document | {"prior": [-1.0, 2.0] + [0.0] * 311}, "no distribution over 313 bins"),
        (lambda document: document | {"format_version": 2}, "does not read"),
    ],
)
def test_a_damaged_file_is_named(change, message, folder):
    path = write_ab_prior(folder)
    changed = change(json.loads(path.read_text()))
    path.write_text(changed if isinstance(changed, str) else json.dumps(changed))
    with pytest.raises(ShardError, match=rf"ab-prior\.json .*{message}"):
        read_ab_prior(folder)


def test_a_folder_without_training_pictures_has_no_prior(tmp_path, crops):
    folder = write_packed(tmp_path / "test-only", {"test": (crops[:3], np.zeros(3, int))})
    with pytest.raises(ShardError, match="holds no train pictures"):
        compute_ab_prior(folder)


def test_inspect_writes_it(folder):
    app = new_app()
    app.command()(inspect_command)
    result = typer.testing.CliRunner().invoke(app, [str(folder), "--ab-prior"])
    assert result.exit_code == 0, result.output
    assert f"Written: {folder / 'ab-prior.json'}" in result.stderr
    shard = next(folder.glob("train*.h5"))
    result = typer.testing.CliRunner().invoke(app, [str(shard), "--ab-prior"])
    assert result.exit_code == 1
    assert "colours are counted of a whole packed folder" in result.stderr


def test_training_weighs_by_it(folder, tmp_path):
    options = {"model": "colorful", "model_options": {"filters": [4] * 8}, "epochs": 1, "batch_size": 6, "samples": 2}
    config = TrainConfig(data=str(folder), image_size=16, **options)
    model = train(config, tmp_path / "counted", report=lambda line: None)
    assert model.loss["ab"] is None
    np.testing.assert_allclose(model.loss["ab_distribution"].prior, compute_ab_prior(folder))
    header = (tmp_path / "counted" / "history.csv").read_text().splitlines()[0]
    assert {"loss", "ab_mse", "val_ab_mse", "val_loss"} <= set(header.split(","))
    path = write_ab_prior(folder)
    document = json.loads(path.read_text()) | {"prior": [1 / 313] * 313}
    path.write_text(json.dumps(document))
    model = train(config, tmp_path / "stored", report=lambda line: None)
    assert model.loss["ab_distribution"].prior == [1 / 313] * 313
