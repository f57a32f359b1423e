import csv
import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest
from conftest import write_packed

from densecolor.checkpoint import load_model
from densecolor.errors import TrainingError
from densecolor.training import Cluster
from densecolor.training import TrainConfig
from densecolor.training import train

# The baseline at its smallest: the networks with a class branch take TensorFlow ten seconds to build.
TINY = {
    "model": "unet",
    "model_options": {"filters": [4, 8]},
    "epochs": 2,
    "batch_size": 8,
    "image_size": 16,
    "samples": 3,
    "learning_rate": 3e-3,
}


@pytest.fixture(scope="module")
def finished(packed, tmp_path_factory):
    """A run of two epochs: (config, run directory, lines reported)."""
    run = tmp_path_factory.mktemp("runs") / "finished"
    config = TrainConfig(data=str(packed), **TINY)
    lines = []
    train(config, run, report=lines.append)
    return config, run, lines


def history(run):
    with open(run / "history.csv", newline="") as file:
        return [{name: float(value) for name, value in row.items()} for row in csv.DictReader(file)]


def weights(path):
    return load_model(path).get_weights()


def test_run_directory_holds_what_it_promises(finished):
    config, run, lines = finished
    assert json.loads((run / "config.json").read_text()) == dataclasses.asdict(config)
    assert {"best.keras", "config.json", "final.keras", "history.csv", "last", "samples", "tensorboard"} == {
        path.name for path in run.iterdir()
    }
    assert [row["epoch"] for row in history(run)] == [1, 2]
    figures = ["ab_mse", "info_loss", "loss", "val_ab_mse", "val_info_loss", "val_loss"]
    assert list(history(run)[0]) == ["epoch", *figures, "learning_rate"]
    assert any((run / "tensorboard" / "validation").iterdir())
    for epoch in (1, 2):  # three pictures in three columns
        assert cv2.imread(str(run / "samples" / f"epoch-{epoch:04d}.png")).shape == (3 * 16, 3 * 16, 3)
    assert "21 pictures, 3 steps an epoch" in lines[0]
    assert len(lines) == 3


def test_sample_grid_ends_in_the_true_colors(finished, packed):
    from densecolor.color import lab_to_srgb
    from densecolor.dataset import iterate

    _, run, _ = finished
    grid = cv2.cvtColor(cv2.imread(str(run / "samples" / "epoch-0001.png")), cv2.COLOR_BGR2RGB)
    pictures = []
    for record in iterate(packed, "validation"):
        lab = np.concatenate([record.L[..., None] / np.float32(2.55), record.ab], axis=-1)
        pictures.append(lab_to_srgb(lab)[8:24, 8:24])
    for row in range(3):
        truth = grid[row * 16 : (row + 1) * 16, 32:]
        assert min(np.abs(truth.astype(int) - picture).max() for picture in pictures) <= 1
        gray = grid[row * 16 : (row + 1) * 16, :16]
        assert np.ptp(gray.astype(int), axis=-1).max() == 0


def test_best_model_gives_the_validation_error_of_its_row(finished, packed):
    from densecolor.dataset import BatchReader
    from densecolor.dataset.batches import model_values

    _, run, _ = finished
    inputs, targets, _ = model_values(BatchReader(packed, "validation", batch_size=9, image_size=16).read(0, 0), ["ab"])
    predicted = load_model(run / "best.keras").predict(inputs, verbose=0)["ab"]
    best = min(row["val_ab_mse"] for row in history(run))
    assert np.mean((predicted - targets["ab"]) ** 2) == pytest.approx(best, rel=1e-4)
    assert load_model(run).working_size == 16


def test_same_seed_same_weights(finished, tmp_path):
    config, run, _ = finished
    train(config, tmp_path / "again", report=str)
    assert (tmp_path / "again" / "history.csv").read_text() == (run / "history.csv").read_text()
    for one, other in zip(weights(run / "final.keras"), weights(tmp_path / "again" / "final.keras"), strict=True):
        np.testing.assert_array_equal(one, other)
    train(dataclasses.replace(config, seed=1), tmp_path / "other", report=str)
    assert (tmp_path / "other" / "history.csv").read_text() != (run / "history.csv").read_text()


@pytest.mark.parametrize("stop_after", [1, 4])  # steps; inside the first and inside the second of two epochs
def test_resumed_run_equals_an_uninterrupted_one(finished, tmp_path, stop_after):
    config, run, _ = finished

    def stop(done, total):
        if done == stop_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config, tmp_path / "run", progress=stop, report=str)
    assert not (tmp_path / "run" / "final.keras").exists()
    train(config, tmp_path / "run", resume=True, report=str)
    for row, other in zip(history(tmp_path / "run"), history(run), strict=True):
        assert row == pytest.approx(other, rel=1e-4)
    for one, other in zip(weights(run / "final.keras"), weights(tmp_path / "run" / "final.keras"), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_progress_counts_the_steps_of_the_whole_run(packed, tmp_path):
    seen = []
    train(
        TrainConfig(data=str(packed), **TINY | {"steps_per_epoch": 1}),
        tmp_path / "run",
        progress=lambda done, total: seen.append((done, total)),
        report=str,
    )
    assert seen == [(1, 2), (2, 2)]


def test_classes_are_learned_beside_colors(packed, tmp_path):
    config = TrainConfig(data=str(packed), model="dense_tiny", epochs=1, batch_size=8)
    model = train(config, tmp_path / "run", report=str)
    assert set(model.output_names) == {"ab", "label"}
    assert model.num_classes == 3
    assert not model.joint
    row = history(tmp_path / "run")[0]
    assert row["loss"] == pytest.approx(row["ab_loss"] + row["label_loss"], rel=1e-3)
    assert row["val_info_loss"] > 0
    assert 0 <= row["val_label_accuracy"] <= 1


def test_data_without_classes_and_validation(tmp_path, crops):
    folder = write_packed(tmp_path / "plain", {"train": (crops[:8], np.full(8, -1))})
    lines = []
    config = TrainConfig(data=str(folder), model="dense_tiny", epochs=1, batch_size=8)
    model = train(config, tmp_path / "run", report=lines.append)
    assert model.output_names == ["ab"]
    assert model.joint
    assert any("no validation split" in line for line in lines)
    assert "ab_mse" in history(tmp_path / "run")[0]


def test_warm_up_without_decay(packed, tmp_path):
    config = TrainConfig(data=str(packed), **TINY | {"epochs": 1, "schedule": "constant", "warmup_steps": 2})
    train(config, tmp_path / "run", report=str)
    assert history(tmp_path / "run")[0]["learning_rate"] == pytest.approx(3e-3)


def test_batch_statistics_over_all_devices_if_asked(finished, packed, tmp_path):
    model = train(
        TrainConfig(data=str(packed), **TINY | {"epochs": 1, "sync_batchnorm": True}), tmp_path / "run", report=str
    )
    assert model.sync_batchnorm
    assert not load_model(finished[1]).sync_batchnorm


def test_batch_that_does_not_divide_over_workers(packed, tmp_path):
    config, cluster = TrainConfig(data=str(packed), **TINY), Cluster(["a:1", "b:2", "c:3"], 0)
    with pytest.raises(TrainingError, match=r"batch of 8 does not divide over 3 workers .* Use 6 or 9"):
        train(config, tmp_path / "run", report=str, cluster=cluster)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
def test_mixed_precision(packed, tmp_path, precision):
    model = train(TrainConfig(data=str(packed), **TINY | {"precision": precision}), tmp_path / "run", report=str)
    assert model.dtype_policy.name == precision
    assert load_model(tmp_path / "run").dtype_policy.name == precision
    assert np.isfinite(history(tmp_path / "run")[-1]["val_ab_mse"])


def test_diverging_run_stops_with_a_clear_message(packed, tmp_path):
    config = TrainConfig(data=str(packed), **TINY | {"learning_rate": 1e30})
    with pytest.raises(TrainingError, match=r"loss became (nan|inf) in step \d+ of epoch \d.*learning rate"):
        train(config, tmp_path / "run", report=str)


def test_a_run_is_never_overwritten(finished):
    config, run, _ = finished
    with pytest.raises(TrainingError, match="already holds a run"):
        train(config, run, report=str)
    other = dataclasses.replace(config, batch_size=4, epochs=3)
    with pytest.raises(TrainingError, match=r"epochs was 2, now 3; batch_size was 8, now 4"):
        train(other, run, resume=True, report=str)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"strategy": "two"}, "auto, one, mirrored, multiworker"),
        ({"data_sharding": "shard"}, "element, file"),
        ({"precision": "float8"}, "mixed_bfloat16"),
        ({"schedule": "steps"}, "cosine, constant"),
        ({"epochs": 0}, "`epochs` must be an integer of at least 1"),
        ({"batch_size": 2.5}, "`batch_size` must be an integer"),
        ({"seed": -1}, "`seed` must be an integer of at least 0"),
        ({"seed": 2**33}, "`seed` must be"),
        ({"warmup_steps": -5}, "warmup_steps"),
        ({"steps_per_epoch": 0}, "steps_per_epoch"),
        ({"image_size": 0}, "image_size"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be positive"),
        ({"label_weight": -1}, "`label_weight` must not be negative"),
        ({"optimizer": "lion"}, "adam, adamw, adadelta, rmsprop, sgd"),
        ({"class_weights": "some"}, "none, balanced"),
        ({"monitor": "loss"}, "ab_mse, info_loss"),
        ({"step_epochs": 0}, "`step_epochs` must be an integer of at least 1"),
        ({"step_factor": 0}, "`step_factor` must be above 0 and at most 1"),
        ({"momentum": 1}, "`momentum` must be at least 0 and below 1"),
        ({"weight_decay": -0.1}, "`weight_decay` must not be negative"),
        ({"clip_norm": float("inf")}, "`clip_norm` must not be negative"),
        ({"clip_norm": "1"}, "`clip_norm` must be a number. Received: '1'"),
        ({"ema": 1.0}, "`ema` must be at least 0 and below 1"),
        ({"label_smoothing": 1.5}, "`label_smoothing` must be"),
        ({"patience": -1}, "`patience` must be an integer of at least 0"),
        ({"patience": 1.5}, "`patience` must be an integer"),
        ({"model_options": {"filters": object()}}, "plain values"),
    ],
)
def test_bad_settings(change, message):
    with pytest.raises(TrainingError, match=message):
        TrainConfig(data="packed", **change)


def test_too_long_a_warm_up(packed, tmp_path):
    config = TrainConfig(data=str(packed), **TINY | {"warmup_steps": 6})
    with pytest.raises(TrainingError, match="none of the run's 6 steps"):
        train(config, tmp_path / "run", report=str)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("unet", {"filters": 8}, "Model 'unet' cannot be built with filters=8"),
        ("dense_tiny", {"growth_rate": -1}, "cannot be built with growth_rate=-1"),
        ("dense_tiny", {"num_classes": 2}, "The model has 2 classes, .* has 3"),
    ],
)
def test_model_options_that_do_not_fit(packed, tmp_path, model, options, message):
    config = TrainConfig(data=packed, model=model, model_options=options)
    with pytest.raises(TrainingError, match=message):
        train(config, tmp_path / "run", report=str)
    assert not (tmp_path / "run").exists()


def test_settings_are_the_same_after_json(packed, tmp_path, monkeypatch):
    config = TrainConfig(data=packed, model="unet", model_options={"filters": (4, 8)})
    (tmp_path / "config.json").write_text(config.to_json())
    assert TrainConfig.from_file(tmp_path / "config.json") == config
    monkeypatch.chdir(packed.parent)
    assert TrainConfig(data=packed.name).data == str(packed)


def test_a_run_that_failed_at_once_does_not_block_its_folder(packed, tmp_path):
    failing = TrainConfig(data=packed, **TINY | {"learning_rate": 1e30})
    with pytest.raises(TrainingError, match="lower learning rate"):
        train(failing, tmp_path / "run", report=str)
    train(TrainConfig(data=packed, **TINY | {"epochs": 1}), tmp_path / "run", report=str)
    assert len(history(tmp_path / "run")) == 1


def test_damaged_state_is_named(finished, tmp_path):
    config, run, _ = finished
    shutil.copytree(run, tmp_path / "run")
    state = tmp_path / "run/last/state.npz"
    content = state.read_bytes()
    state.write_bytes(content[:1000])
    with pytest.raises(TrainingError, match=r"state\.npz is damaged .*best\.keras is still there"):
        train(config, tmp_path / "run", resume=True, report=str)
    state.write_bytes(content.replace(b"epoch", b"depth"))
    with pytest.raises(TrainingError, match=r"state\.npz is damaged .*CRC"):
        train(config, tmp_path / "run", resume=True, report=str)
    flipped = bytearray(content)
    flipped[5000] ^= 1  # inside the weights, which only their checksum protects
    state.write_bytes(flipped)
    with pytest.raises(TrainingError, match=r"state\.npz is damaged .*CRC"):
        train(config, tmp_path / "run", resume=True, report=str)
    state.unlink()
    with pytest.raises(TrainingError, match=r"holds a model, best\.keras, but not the state"):
        train(config, tmp_path / "run", resume=True, report=str)
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match="is a file"):
        train(config, tmp_path / "file", report=str)


def test_configuration_from_file(tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps({"model": "unet", "epochs": 3}))
    assert TrainConfig.from_file(path, data="d", epochs=4) == TrainConfig(data="d", model="unet", epochs=4)
    for text in ("{", "[]", '{"epoch": 3}', "{}"):
        path.write_text(text)
        with pytest.raises(TrainingError, match=r"config\.json is not a training configuration"):
            TrainConfig.from_file(path)


def test_a_published_recipe_is_taken_as_far_as_nothing_else_is_said(packed):
    config = TrainConfig.from_recipe(packed, "iizuka", epochs=3)
    assert (config.optimizer, config.learning_rate, config.batch_size, config.epochs) == ("adadelta", 1.0, 128, 3)
    assert config.image_size is None  # the recipe's 224 are more than the 32 that there are
    assert TrainConfig.from_recipe(packed, "unet") == TrainConfig(data=packed, model="unet")
