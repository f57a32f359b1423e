"""What is written of a picture: panels, grids, samples, sidecars, pictures kept."""

import hashlib
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from skimage import data

import densecolor
from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize
from densecolor.inference import colorize_files
from densecolor.inference.panels import CELL_SIDE
from densecolor.inference.panels import labels_of
from densecolor.models.unet import UNetColorizer

GRAY = data.camera()[100:140, 200:250].copy()  # 40 x 50
COLOR = data.astronaut()[80:120, 200:250].copy()


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return UNetColorizer(filters=(2, 2), working_size=16, name="first")


@pytest.fixture(scope="module")
def other():
    keras.utils.set_random_seed(2)
    return UNetColorizer(filters=(2, 2), working_size=24, name="second")


@pytest.fixture(scope="module")
def diverse():
    keras.utils.set_random_seed(3)
    return models.create("colorful_small", filters=(4,) * 8, working_size=32)


@pytest.fixture
def scans(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("scans/a.png", GRAY, alpha=GRAY[::-1].copy())
    write_image("scans/deep/b.tif", GRAY.astype(np.uint16) * 257)
    write_image("scans/color.jpg", COLOR)
    return Path("scans")


def assert_same(picture, expected):
    """But for what the order of additions in a network's threads changes."""
    np.testing.assert_allclose(picture.astype(int), expected, atol=2)


def test_side_by_side(scans, model):
    colorize_files("scans", "colour", model, side_by_side=True)
    panel = read_image("colour/a.png")
    assert panel.pixels.shape == (40, 100, 3)
    np.testing.assert_array_equal(panel.pixels[:, :50], np.dstack([GRAY] * 3))
    np.testing.assert_array_equal(panel.pixels[:, 50:], colorize(GRAY, model))
    np.testing.assert_array_equal(panel.alpha, np.hstack([GRAY[::-1]] * 2))
    fine = read_image("colour/deep/b.tif").pixels
    assert fine.dtype == np.uint16
    np.testing.assert_array_equal(fine[:, :50], np.dstack([GRAY.astype(np.uint16) * 257] * 3))
    left = read_image("colour/color.jpg").pixels[:, :40].astype(int)
    assert np.ptp(left, axis=-1).max() < 12  # gray, but for what JPEG does
    assert not (scans / "color.json").exists()


def test_samples(scans, diverse):
    results = colorize_files("scans/a.png", "colour.png", diverse, samples=3, seed=5)
    assert [str(path) for path in results[0].outputs] == ["colour-1.png", "colour-2.png", "colour-3.png"]
    pictures = [read_image(path).pixels for path in results[0].outputs]
    for number, picture in enumerate(pictures):
        assert_same(picture, colorize(GRAY, diverse, sample=5 + number))
    assert (np.abs(np.subtract(pictures[0], pictures[1], dtype=int)) > 5).mean() > 0.1
    colorize_files("scans/a.png", "panel.png", diverse, samples=3, seed=5, side_by_side=True)
    assert_same(read_image("panel.png").pixels, np.hstack([np.dstack([GRAY] * 3), *pictures]))


def test_samples_never_replace_other_pictures(scans, diverse):
    write_image("colour/a-2.png", GRAY)
    with pytest.raises(ImageError, match=r"colour/a-2\.png would be overwritten"):
        colorize_files("scans", "colour", diverse, samples=2)
    write_image("scans/a-1.png", GRAY)
    with pytest.raises(ImageError, match=r"scans/a-1\.png would replace an input picture"):
        colorize_files("scans", "scans", diverse, samples=1, overwrite=True)


def test_comparing(scans, model, other):
    save_model(model, "first.keras")
    save_model(other, "second.keras")
    write_image("scans/large.png", np.tile(GRAY, (30, 30)))  # 1200 x 1500
    results = colorize_files("scans", "colour", "first.keras", compare=["second.keras"], sidecar=True)
    assert all(result.error is None for result in results)
    grid = read_image("colour/a.png").pixels
    cells = [np.dstack([GRAY] * 3), colorize(GRAY, model), colorize(GRAY, other)]
    found = [
        any(
            np.abs(grid[y : y + 40, x : x + 50].astype(int) - cell).max() <= 2
            for y in range(len(grid) - 39)
            for x in range(grid.shape[1] - 49)
        )
        for cell in cells
    ]
    assert found == [True, True, True]
    assert (grid < 128).any(axis=(0, 2)).sum() > 60  # labels, as wide as they are
    height, width = read_image("colour/large.png").pixels.shape[:2]
    assert 2 * CELL_SIDE < width < 2 * CELL_SIDE + 100 or CELL_SIDE < height < 3 * CELL_SIDE
    said = json.loads(Path("colour/a.png.json").read_text())
    assert [each["name"] for each in said["models"]] == ["first", "second"]
    assert [each["working_shape"] for each in said["colourings"]] == [[14, 18], [21, 27]]


def test_labels_tell_models_apart(model):
    assert labels_of(["runs/dense", Path("runs/unet"), "m.keras", model]) == ["dense", "unet", "m", "first"]
    assert labels_of(["a/run/best.keras", "a/run/final.keras", "b/run"]) == ["run/best", "run/final", "run"]
    assert labels_of(["a/run/best.keras", "c/run/best.keras"]) == ["a/run/best", "c/run/best"]
    assert labels_of(["runs/x/", "./runs/x"]) == ["x", "x"]


def test_sidecar(scans, model):
    colorize_files("scans", "colour", model, sidecar=True, saturation=3.0)
    said = json.loads(Path("colour/deep/b.tif.json").read_text())
    assert said["format"] == "densecolor-sidecar"
    assert said["densecolor"] == densecolor.__version__
    assert said["input"] == {
        "name": "b.tif",
        "sha256": hashlib.sha256(Path("scans/deep/b.tif").read_bytes()).hexdigest(),
        "bytes": Path("scans/deep/b.tif").stat().st_size,
    }
    assert said["output"] == "b.tif"
    assert said["colorized"] == {"height": 40, "width": 50, "bits": 16}
    assert said["models"][0]["name"] == "first"
    assert len(said["models"][0]["sha256"]) == 64
    assert said["settings"]["saturation"] == 3.0
    (made,) = said["colourings"]
    assert made["working_shape"] == [14, 18]
    assert 0 <= made["share_brought_into_gamut"] <= 1
    assert len(list(Path("colour").rglob("*.json"))) == 3


def test_a_sidecar_tells_what_the_gamut_cost(scans):
    class Loud:
        name = "loud"
        fingerprint = "0" * 64

        def predict_on_batch(self, inputs):
            return {"ab": np.full((*inputs["lightness"].shape[:3], 2), 0.9, np.float32)}

    colorize_files("scans/a.png", "loud.png", Loud(), sidecar=True)
    (made,) = json.loads(Path("loud.png.json").read_text())["colourings"]
    assert made["share_brought_into_gamut"] == 1
    assert made["mean_chroma_lost"] > 50


def test_sidecars_are_outputs_too(scans, model):
    Path("colour").mkdir()
    Path("colour/a.png.json").write_text("mine")
    with pytest.raises(ImageError, match=r"colour/a\.png\.json would be overwritten"):
        colorize_files("scans", "colour", model, sidecar=True)
    colorize_files("scans", "colour", model, sidecar=True, overwrite=True)
    assert all(result.skipped for result in colorize_files("scans", "colour", model, sidecar=True, resume=True))
    Path("colour/a.png.json").unlink()
    again = colorize_files("scans", "colour", model, sidecar=True, resume=True, overwrite=True)
    assert [str(result.source) for result in again if not result.skipped] == ["scans/a.png"]
    assert json.loads(Path("colour/a.png.json").read_text())["input"]["name"] == "a.png"


@pytest.mark.parametrize("options", [{}, {"side_by_side": True}, {"sidecar": True}])
def test_pictures_in_colour_are_kept(scans, model, options):
    results = colorize_files("scans", "colour", model, skip_color=True, **options)
    notes = {str(result.source): result.note for result in results}
    assert notes.pop("scans/color.jpg") == "in colour already, and kept as it was"
    assert set(notes.values()) == {None}
    assert Path("colour/color.jpg").read_bytes() == Path("scans/color.jpg").read_bytes()
    assert not Path("colour/color.jpg.json").exists()
    assert all(r.skipped for r in colorize_files("scans", "colour", model, skip_color=True, resume=True, **options))


def test_a_picture_in_colour_that_changes_its_format_is_kept_in_its_pixels(scans, model):
    colorize_files("scans/color.jpg", "kept.png", model, skip_color=True)
    np.testing.assert_array_equal(read_image("kept.png").pixels, read_image("scans/color.jpg").pixels)


def test_pictures_in_colour_are_colorized_with_a_note(scans, model):
    (result,) = colorize_files("scans/color.jpg", "colour.png", model)
    assert result.note.startswith("in colour already; its own colours were ignored")
    np.testing.assert_array_equal(read_image("colour.png").pixels, colorize(read_image("scans/color.jpg"), model))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"compare": ["x.keras"], "samples": 2}, "does not go with"),
        ({"compare": ["x.keras"], "side_by_side": True}, "does not go with"),
        ({"samples": 2}, "'first' has one colouring"),
        ({"temperature": 0.5}, "'first' predicts colours"),
        ({"samples": 2, "runtime": "openvino"}, "need the runtime keras. Received: runtime='openvino'"),
        ({"samples": 0}, "`samples` must be at least 1"),
        ({"saturation": 11}, "`saturation` must be"),
    ],
)
def test_what_does_not_go_together(scans, model, options, message):
    with pytest.raises(DensecolorError, match=message):
        colorize_files("scans", "colour", model, **options)
    assert not Path("colour").exists()
