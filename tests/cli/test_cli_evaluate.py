import json

import cv2
import keras
import numpy as np
import pytest
import typer.testing

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.cli.common import new_app
from densecolor.cli.evaluate import evaluate


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "small.keras"
    save_model(models.create("unet", filters=(4, 8), working_size=32), path)
    return path


def run(*arguments):
    app = new_app()
    app.command()(evaluate)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_table_on_screen_and_a_report(checkpoint, packed, tmp_path):
    result = run(checkpoint, packed, "--report", tmp_path / "report", "--batch-size", 4)
    assert result.exit_code == 0, result.output
    for shown in ("small", "grayscale", "mean", "truth", "PSNR, dB", "SSIM", "Info loss", "9 of 9 pictures"):
        assert shown in result.stdout
    assert "The report is in" in result.stderr
    assert (tmp_path / "report" / "metrics.json").is_file()


def test_json_on_standard_output(checkpoint, packed):
    result = run(checkpoint, packed, "--json", "--limit", 3, "--split", "train")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["data"]["pictures"] == 3
    assert document["data"]["split"] == "train"
    assert set(document["results"]) == {"small", "grayscale", "mean colour", "truth"}


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--split", "test"], "no split 'test'. It has train (21), validation (9)."),
        (["--report", __file__], "is a file"),
    ],
)
def test_mistakes_are_told_in_one_line(checkpoint, packed, options, complaint):
    result = run(checkpoint, packed, *options)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_a_missing_model_is_named(packed, tmp_path):
    result = run(tmp_path / "missing.keras", packed)
    assert result.exit_code == 1
    assert "missing.keras" in result.stderr


def test_a_model_without_data_is_a_usage_error(checkpoint):
    result = run(checkpoint)
    assert result.exit_code == 2
    assert "DATA last" in result.stderr


def test_the_working_size_has_the_minimum_of_colorizing(checkpoint, packed):
    result = run(checkpoint, packed, "--working-size", 7)
    assert result.exit_code == 2
    assert "working-size" in result.stderr


def test_help_shows_an_example():
    result = run("--help")
    assert result.exit_code == 0
    assert "densecolor-evaluate runs/first packed" in result.stdout


def test_folders_of_pictures(tmp_path, crops):
    for folder, shade in (("truth", 1), ("out", 0.8)):
        (tmp_path / folder).mkdir()
        for i, crop in enumerate(crops[:3]):
            cv2.imwrite(str(tmp_path / folder / f"{i}.png"), np.rint(crop * shade).astype(np.uint8))
    folders = ("--predictions", tmp_path / "out", "--truth", tmp_path / "truth")
    result = run(*folders, "--measures", "psnr,cni", "--against", "grayscale", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert list(document["results"]["out"]) == ["psnr", "cni"]
    assert document["tests"]["results"]["out"]["psnr"]["count"] == 3


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--predictions", "out"], "belong together"),
        (["model", "--predictions", "out", "--truth", "photos"], "give MODEL... DATA, or"),
        (["model", "data", "--share", "3/2"], "no share"),
    ],
)
def test_usage_errors(arguments, complaint):
    result = run(*arguments)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())
