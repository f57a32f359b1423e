import json
from pathlib import Path

import keras
import numpy as np
import pydicom
import pytest
import typer.testing
from made_medical import make_dicom

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.cli.colorize import colorize
from densecolor.cli.common import new_app
from densecolor.image_io import read_image
from densecolor.image_io import write_image

GRAY = np.linspace(0, 255, 40 * 50).astype(np.uint8).reshape(40, 50)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "tiny.keras"
    save_model(models.create("dense_tiny", num_classes=0, working_size=32), path)
    return path


@pytest.fixture
def scans(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("scans/a.png", GRAY)
    write_image("scans/old/b.tif", GRAY.astype(np.uint16) * 257)
    return tmp_path / "scans"


def run(*arguments):
    app = new_app()
    app.command()(colorize)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_folder(scans, checkpoint):
    result = run(scans, "--output", "colour", "--model", checkpoint)
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert "2 of 2 pictures colorized into colour." in result.stderr
    assert read_image("colour/a.png").pixels.shape == (40, 50, 3)
    assert read_image("colour/old/b.tif").pixels.dtype == np.uint16


def test_a_medical_file(scans, checkpoint):
    Path("x.dcm").write_bytes(make_dicom(GRAY, PatientID="PAT-77"))
    arguments = ["--window", "100", "50", "--plane", "coronal", "--no-identity"]
    result = run("x.dcm", "--output", "y.dcm", "--model", checkpoint, *arguments)
    assert result.exit_code == 0, result.output
    capture = pydicom.dcmread("y.dcm")
    assert capture.PatientID == ""
    assert np.median(capture.pixel_array[GRAY < 75]) == 0
    assert np.median(capture.pixel_array[GRAY > 126]) == 255


def test_a_bad_file_among_good_ones(scans, checkpoint):
    (scans / "aa.jpg").write_bytes(b"\xff\xd8\xff\xe0")
    result = run("scans", "-o", "colour", "-m", checkpoint, "--json")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0].startswith("error: scans/aa.jpg: truncated JPEG")
    assert lines[1:] == ["2 of 3 pictures colorized into colour."]
    rows = json.loads(result.stdout)
    assert [row["source"] for row in rows] == ["scans/a.png", "scans/aa.jpg", "scans/old/b.tif"]
    assert [row["output"] for row in rows] == ["colour/a.png", "colour/aa.jpg", "colour/old/b.tif"]
    assert [row["error"] is None for row in rows] == [True, False, True]


def test_overwrite_and_working_size(scans, checkpoint):
    arguments = [scans / "a.png", "-o", "one.png", "-m", checkpoint]
    assert run(*arguments).exit_code == 0
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert refused.stderr.startswith("error: one.png would be overwritten.")
    assert run(*arguments, "--overwrite", "--working-size", 16).exit_code == 0


def test_models_that_are_not_ours_need_trust(scans, tmp_path):
    lightness = keras.Input((None, None, 1), name="lightness")
    ab = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="ab")(lightness)
    keras.Model({"lightness": lightness}, {"ab": ab}).save(tmp_path / "foreign.keras")
    arguments = [scans / "a.png", "-o", "one.png", "-m", tmp_path / "foreign.keras"]
    refused = run(*arguments)
    assert refused.exit_code == 1
    assert "foreign.keras" in refused.stderr
    assert not Path("one.png").exists()
    assert run(*arguments, "--trust-checkpoint").exit_code == 0
    np.testing.assert_array_equal(read_image("one.png").pixels, np.dstack([GRAY] * 3))


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (["scans"], 2, "Missing option"),
        (["scans", "-o", "colour", "-m", "missing.keras"], 1, "missing.keras"),
        (["missing.png", "-o", "colour"], 1, "missing.png does not exist"),
        (["scans", "-o", "colour", "--working-size", "0"], 2, "working-size"),
    ],
)
@pytest.mark.usefixtures("scans")
def test_mistakes(checkpoint, arguments, status, complaint):
    if status == 1 and "-m" not in arguments:
        arguments = [*arguments, "-m", checkpoint]
    result = run(*arguments)
    assert result.exit_code == status
    assert complaint in result.stderr
