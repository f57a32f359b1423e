import json

import keras
import pytest
import typer.testing

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.cli.main import app
from densecolor.image_io import read_image
from densecolor.image_io import write_image


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    keras.utils.set_random_seed(0)
    save_model(models.create("unet", filters=(3, 4), working_size=32), "best.keras")
    return tmp_path


def run(*arguments):
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_model_is_exported_and_the_check_told(folder):
    result = run("export", ".", "--format", "openvino", "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("best.xml: at 64 x 64, 97 x 131, 40 x 33 a and b differ from Keras by at most ")
    told = json.loads(result.stdout)
    assert (told["output"], told["format"]) == ("best.xml", "openvino")
    assert [row["batch"] for row in told["checked"]] == [1, 2, 1]
    assert all(0 <= row["difference"] < 0.01 for row in told["checked"])
    again = run("export", ".", "--format", "openvino")
    assert again.exit_code == 1
    assert again.stderr == "error: best.xml exists. Name another output, or replace it with --overwrite.\n"


def test_what_is_no_model_is_one_line(folder):
    (folder / "best.keras").write_bytes(b"PK")
    result = run("export", "best.keras")
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("error: best.keras is not a whole .keras file")
    assert not list(folder.glob("*.onnx"))


def test_colorizing_with_a_runtime(folder):
    gray = keras.random.randint((40, 50), 0, 256, seed=0).numpy().astype("uint8")
    write_image("gray.png", gray)
    assert run("colorize", "gray.png", "-o", "keras.png", "-m", "best.keras", "--runtime", "keras").exit_code == 0
    result = run("colorize", "gray.png", "-o", "fast.png", "-m", "best.keras", "--runtime", "openvino")
    assert result.exit_code == 0, result.output
    assert result.stderr.startswith("Exporting 'unet_colorizer' for openvino, once; this takes some seconds.\n")
    difference = read_image("keras.png").pixels.astype(int) - read_image("fast.png").pixels
    assert abs(difference).max() <= 1
