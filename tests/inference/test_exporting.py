"""Exports: checked against Keras, and used as docs/exporting.md shows it."""

import re
import sys
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

import densecolor
from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.errors import DensecolorError
from densecolor.errors import ExportError
from densecolor.inference.exporting import FORMATS
from densecolor.inference.exporting.round_trip import SHAPES
from densecolor.inference.exporting.round_trip import round_trip

GUIDE = (Path(__file__).parents[2] / "docs/exporting.md").read_text(encoding="utf-8")
READ, JOIN, *USES = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = models.create("unet", filters=(3, 5))
    model.layers[-2].set_weights([np.full((3, 3, 3, 2), 0.02), np.float32([0.1, 0.2])])  # so that it has colours
    return model


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("run") / "best.keras"
    save_model(model, path)
    return path


@pytest.mark.parametrize(("format", "use"), zip(FORMATS, USES, strict=True), ids=FORMATS)
def test_the_guides_example_gives_the_models_colours(format, use, model, checkpoint, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gray = np.random.default_rng(0).integers(0, 256, (50, 61), np.uint8)
    cv2.imwrite("old.jpg", gray)
    output = re.search(rf"--output (\S*{re.escape(FORMATS[format].ending)})", GUIDE).group(1)
    exported = densecolor.export(checkpoint.parent, output, format)
    assert exported.path == Path(output)
    assert set(exported.differences) == set(SHAPES)
    assert 0 < max(exported.differences.values()) < 0.01
    names = {}
    exec(READ + use + JOIN, names)
    expected = keras.ops.convert_to_numpy(model(names["batch"])["ab"])
    assert np.abs(expected).max() > 0.1
    np.testing.assert_allclose(names["ab"], expected, atol=1e-5)
    colour = cv2.imread("colour.png")
    assert colour.shape == (50, 61, 3)
    assert (colour[..., 0] != colour[..., 2]).mean() > 0.9
    written = {Path(output).name} | ({"first.bin"} if format == "openvino" else set())
    assert {path.name for path in tmp_path.iterdir()} == written | {"old.jpg", "colour.png"}


def test_an_export_lies_beside_its_checkpoint_and_replaces_only_what_it_is_told_to(checkpoint):
    assert densecolor.export(checkpoint, format="openvino").path == checkpoint.with_name("best.xml")
    checkpoint.with_name("best.xml").write_text("mine")
    with pytest.raises(ExportError, match=r"best\.xml exists"):
        densecolor.export(checkpoint, format="openvino")
    assert checkpoint.with_name("best.xml").read_text() == "mine"
    checkpoint.with_name("best.xml").unlink()
    with pytest.raises(ExportError, match=r"best\.bin exists"):
        densecolor.export(checkpoint, format="openvino")
    densecolor.export(checkpoint, format="openvino", overwrite=True)


@pytest.mark.parametrize(
    ("output", "options", "message"),
    [
        ("a.pb", {}, r"must be called \*\.onnx"),
        (None, {}, "Name an `output`"),
        ("a.onnx", {"format": "coreml"}, "Unknown format='coreml'"),
        ("folder", {"format": "saved_model", "overwrite": True}, "a folder of something else"),
    ],
)
def test_outputs_that_cannot_be_are_refused_before_any_work(output, options, message, model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    with pytest.raises(DensecolorError, match=message):
        densecolor.export(model, output, **options)
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_a_missing_package_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(DensecolorError, match=r'tf2onnx is not installed.*pip install "densecolor\[fast\]"'):
        densecolor.export(model, tmp_path / "a.onnx")


def test_what_takes_more_than_lightness_is_refused(tmp_path):
    options = {"branch": "mobilenet", "branch_size": 32, "logit_count": 6, "width": 0.05, "embedding_input": True}
    model = models.create("koalarization", **options, embedding="logits")
    with pytest.raises(ExportError, match="takes lightness, embedding; only"):
        densecolor.export(model, tmp_path / "a.onnx")


def test_what_cannot_be_exported_leaves_nothing(tmp_path):
    lightness = keras.Input((None, None, 1), name="lightness")
    small = keras.ops.image.resize(lightness, (8, 8), antialias=True)  # a kernel that only TensorFlow has
    pair = keras.ops.repeat(lightness, 2, axis=-1) + keras.ops.mean(small)
    foreign = keras.Model({"lightness": lightness}, {"ab": pair}, name="foreign")
    with pytest.raises(ExportError, match=r"'foreign' cannot be exported to openvino: .*operations: ScaleAndTranslate"):
        densecolor.export(foreign, tmp_path / "new" / "a.xml", "openvino")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ab: ab + 0.1 / 128, r"differs from Keras by 0\.1 units of a and b on 1 picture\(s\) of 64 x 64"),
        (lambda ab: ab * np.nan, "differs from Keras by nan"),
        (lambda ab: ab[:, :-1], r"turns 1 picture\(s\) of 64 x 64 into \(1, 63, 64, 2\)"),
        (lambda ab: ab[0, 0, 0, 9], r"cannot take 1 picture\(s\) of 64 x 64: index 9"),
    ],
)
def test_other_colours_are_refused(change, message, model):
    def run(lightness):
        return {"ab": change(keras.ops.convert_to_numpy(model(lightness)["ab"]))}

    with pytest.raises(ExportError, match=message):
        round_trip(model, run, "onnx")


def test_half_precision_is_exported_in_full(tmp_path):
    keras.utils.set_random_seed(0)
    model = models.create("unet", filters=(3, 5), dtype="mixed_bfloat16")
    full = models.create("unet", filters=(3, 5))
    full.set_weights(model.get_weights())
    densecolor.export(model, tmp_path / "a.xml", "openvino")
    densecolor.export(full, tmp_path / "b.xml", "openvino")
    assert (tmp_path / "a.bin").read_bytes() == (tmp_path / "b.bin").read_bytes()
