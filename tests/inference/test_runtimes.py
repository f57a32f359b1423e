"""Colorizing by OpenVINO and onnxruntime, and what is kept for the next time."""

import json
import os
import subprocess
import sys
import time
import warnings
import zipfile

import keras
import numpy as np
import pytest

import densecolor
from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.errors import CheckpointError
from densecolor.errors import DensecolorError
from densecolor.inference.identity import identify_model
from densecolor.inference.runtimes import load
from densecolor.inference.runtimes.kept import Kept
from densecolor.inference.runtimes.kept import user_folder
from densecolor.inference.runtimes.load import is_faster

GRAY = np.random.default_rng(0).integers(0, 256, (70, 91), np.uint8)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def checkpoint(tmp_path):
    keras.utils.set_random_seed(0)
    model = models.create("unet", filters=(3, 5), working_size=48)
    model.layers[-2].set_weights([np.full((3, 3, 3, 2), 0.02), np.float32([0.1, 0.2])])  # so that it has colours
    save_model(model, tmp_path / "best.keras")
    return tmp_path / "best.keras"


# Two that overlap, and are gone when the signal comes.
SIGNAL = """
import os, signal, sys
from densecolor.inference.runtimes.openvino_model import OpenVINOModel
first = OpenVINOModel(sys.argv[1])
second = OpenVINOModel(sys.argv[1])
del first, second
signal.signal(signal.SIGTERM, lambda *signal: print("heard"))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_after_openvino_is_heard(checkpoint, tmp_path):
    densecolor.export(checkpoint, tmp_path / "model.xml", "openvino")
    result = subprocess.run(
        [sys.executable, "-c", SIGNAL, tmp_path / "model.xml"], capture_output=True, text=True, check=False
    )
    assert (result.returncode, result.stdout) == (0, "heard\n"), result.stderr


@pytest.mark.parametrize("runtime", ["openvino", "onnx"])
def test_a_runtime_gives_keras_colours_and_is_made_once(runtime, checkpoint, tmp_path):
    notes = []
    model = load(checkpoint, runtime, note=notes.append)
    assert notes == [f"Exporting 'unet_colorizer' for {runtime}, once; this takes some seconds."]
    assert (tmp_path / f"best.keras.{runtime}").exists()
    again = load(checkpoint, runtime, precision="float32", note=notes.append)
    assert len(notes) == 1
    reference = densecolor.load_model(checkpoint)
    expected = densecolor.colorize(GRAY, reference)
    assert (expected.max(axis=-1) > expected.min(axis=-1)).mean() > 0.9
    for made in (model, again):
        assert (made.name, made.working_size) == ("unet_colorizer", 48)
        assert identify_model(made) == identify_model(reference)
        np.testing.assert_allclose(densecolor.colorize(GRAY, made), expected, atol=1)
        for shape in ((3, 17, 9, 1), (1, 64, 80, 1)):
            lightness = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
            outputs = made.predict_on_batch({"lightness": lightness})
            assert list(outputs) == ["ab"]
            np.testing.assert_allclose(outputs["ab"], reference(lightness)["ab"], atol=1e-5)


def test_auto_exports_for_many_pictures_and_uses_what_is_there(checkpoint):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(load(checkpoint, pictures=1), keras.Model)
    with pytest.warns(UserWarning, match="once"):
        assert not isinstance(load(checkpoint), keras.Model)
    assert not isinstance(load(checkpoint, pictures=1), keras.Model)
    reference = densecolor.load_model(checkpoint)
    assert load(reference) is reference
    assert load(reference, "keras") is reference


class Timed:
    """A model that takes its time, the first time more."""

    def __init__(self, seconds):
        self.seconds = seconds
        self.first = 0.2

    def predict_on_batch(self, inputs):
        time.sleep(self.seconds + self.first)
        self.first = 0.0
        return {"ab": np.repeat(inputs["lightness"], 2, axis=-1)}


def test_the_faster_one_is_told_from_the_slower_one():
    assert is_faster(lambda x: None, Timed(0.03))
    assert not is_faster(lambda x: Timed(0.03).predict_on_batch({"lightness": x}), Timed(0.001))


def test_auto_uses_keras_where_an_export_was_slower(checkpoint):
    place = Kept(checkpoint, "openvino", False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        load(checkpoint, "openvino")
    place.write(place.read() | {"faster": b""})
    assert isinstance(load(checkpoint), keras.Model)
    assert not isinstance(load(checkpoint, "openvino"), keras.Model)


def test_auto_uses_keras_where_a_model_cannot_be_exported(tmp_path):
    options = {"branch": "mobilenet", "branch_size": 32, "logit_count": 6, "width": 0.05, "embedding_input": True}
    save_model(models.create("koalarization", **options, embedding="logits"), tmp_path / "a.keras")
    notes = []
    assert isinstance(load(tmp_path / "a.keras", note=notes.append), keras.Model)
    assert notes[-1].endswith("can be exported. Keras is used instead.")
    assert not (tmp_path / "a.keras.openvino").exists()


def test_missing_packages(checkpoint, monkeypatch):
    for package in ("openvino", "onnxruntime"):
        monkeypatch.setitem(sys.modules, package, None)
    for runtime, package in (("openvino", "openvino"), ("onnx", "onnxruntime")):
        with pytest.raises(DensecolorError, match=rf'{package} is not installed.*pip install "densecolor\[fast\]"'):
            load(checkpoint, runtime)
    assert isinstance(load(checkpoint), keras.Model)


@pytest.mark.parametrize("options", [{"runtime": "torch"}, {"runtime": "onnx", "precision": "int8"}])
def test_unknown_choices_are_refused(options, checkpoint):
    with pytest.raises(DensecolorError, match="Choose from"):
        load(checkpoint, **options)


@pytest.mark.parametrize("runtime", ["auto", "keras", "openvino", "onnx"])
def test_hostile_checkpoints_are_refused_before_anything_is_exported(runtime, tmp_path):
    canary = str(tmp_path / "canary")
    layer = keras.layers.Lambda(lambda x: os.makedirs(canary, exist_ok=True) or x)
    keras.Sequential([keras.Input((None, None, 1)), layer]).save(tmp_path / "code.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "code.keras").read_bytes()[:500])
    with zipfile.ZipFile(tmp_path / "foreign.keras", "w") as archive:
        for name in ("metadata.json", "model.weights.h5"):
            archive.writestr(name, "{}")
        archive.writestr("config.json", json.dumps({"module": "os", "class_name": "system", "config": {}}))
    os.rmdir(canary)
    names = {path.name for path in tmp_path.iterdir()}
    for name in ("code.keras", "cut.keras", "foreign.keras", "missing.keras"):
        with pytest.raises(CheckpointError, match=name):
            load(tmp_path / name, runtime)
    assert {path.name for path in tmp_path.iterdir()} == names


FILES = {"model.onnx": b"graph", "about.json": b"{}"}


def kept(checkpoint, runtime="onnx", trust=False):
    return Kept(checkpoint, runtime, trust)


@pytest.fixture
def model_file(tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/best.keras").write_bytes(b"a model")
    return tmp_path / "run/best.keras"


def test_what_is_kept_is_for_this_checkpoint_runtime_and_trust_alone(model_file):
    assert kept(model_file).read() is None
    path = kept(model_file).write(FILES)
    assert path == model_file.with_name("best.keras.onnx")
    assert kept(model_file).read() == FILES
    assert kept(model_file, trust=True).read() is None
    path.rename(path.with_name("best.keras.openvino"))
    assert kept(model_file, "openvino").read() is None
    path.with_name("best.keras.openvino").rename(path)
    model_file.write_bytes(b"another model")
    assert kept(model_file).read() is None


def test_a_checkpoint_that_changes_while_it_is_exported_is_not_kept(model_file):
    before = kept(model_file)
    model_file.write_bytes(b"another model")
    assert before.write(FILES) is None
    assert [path.name for path in model_file.parent.iterdir()] == ["best.keras"]


def test_damaged_and_foreign_exports_are_not_believed(model_file):
    path = kept(model_file).write(FILES)
    whole = path.read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 1
        for content in (bytes(damaged), whole[:position]):
            path.write_bytes(content)
            assert kept(model_file).read() is None
    path.write_bytes(whole)
    assert kept(model_file).read() == FILES
    (user_folder() / "key").unlink()  # as for another user
    assert kept(model_file).read() is None
    kept(model_file).write(FILES)
    assert kept(model_file).read() == FILES


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_the_key_is_the_users_alone(model_file):
    kept(model_file).write(FILES)
    key = user_folder() / "key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert user_folder().stat().st_mode & 0o777 == 0o700
    first = key.read_bytes()
    key.chmod(0o644)  # others may have read it
    assert kept(model_file).read() is None
    kept(model_file).write(FILES)
    assert key.stat().st_mode & 0o777 == 0o600
    assert key.read_bytes() != first
    target = key.rename(key.with_name("elsewhere"))
    key.symlink_to(target)
    assert kept(model_file).read() is None


def test_where_the_folder_cannot_be_written_the_users_cache_is_used(model_file, monkeypatch):
    model_file.with_name("best.keras.onnx").mkdir()  # root may write everywhere, but not over a folder
    path = kept(model_file).write(FILES)
    assert path.parent == user_folder() / "exports"
    assert kept(model_file).read() == FILES
    (model_file.parent / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(model_file.parent / "file"))
    assert kept(model_file).read() is None
    assert kept(model_file).write(FILES) is None
