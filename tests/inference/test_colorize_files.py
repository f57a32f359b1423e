from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from densecolor.errors import ImageError
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize_files

GRAY = (np.arange(30 * 41) % 256).astype(np.uint8).reshape(30, 41)


@pytest.fixture(scope="module")
def model():
    lightness = keras.Input((None, None, 1), name="lightness")
    ab = keras.layers.Conv2D(2, 1, kernel_initializer="zeros", name="ab")(lightness)
    return keras.Model({"lightness": lightness}, {"ab": ab})


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """scans/a.png, scans/b.jpg, scans/old/c.gif and scans/old/a.tif (16 bits), in the current folder."""
    monkeypatch.chdir(tmp_path)
    write_image("scans/a.png", GRAY, alpha=GRAY[::-1])
    write_image("scans/b.jpg", GRAY)
    write_image("scans/old/a.tif", GRAY.astype(np.uint16) * 250)
    Image.fromarray(GRAY).save("scans/old/c.gif")
    return Path("scans")


def outputs(results):
    return [str(result.output) for result in results]


def test_one_file_to_one_file(scans, model):
    (result,) = colorize_files(scans / "a.png", "out/colour.tif", model)
    assert result.error is None
    assert result.source == scans / "a.png"
    picture = read_image("out/colour.tif")
    np.testing.assert_array_equal(picture.pixels, np.dstack([GRAY] * 3))
    np.testing.assert_array_equal(picture.alpha, GRAY[::-1])


def test_a_folder_keeps_its_tree_and_its_suffixes(scans, model):
    steps = []
    results = colorize_files([scans], "colour", model, progress=lambda *step: steps.append(step))
    assert outputs(results) == ["colour/a.png", "colour/b.jpg", "colour/old/a.tif", "colour/old/c.png"]
    assert all(result.error is None for result in results)
    assert steps == [(1, 4), (2, 4), (3, 4), (4, 4)]
    fine = read_image("colour/old/a.tif").pixels
    np.testing.assert_array_equal(fine, np.dstack([GRAY.astype(np.uint16) * 250] * 3))
    assert sorted(path.name for path in Path("colour").rglob("[!.]*.*")) == ["a.png", "a.tif", "b.jpg", "c.png"]


def test_globs_and_files_together(scans, model):
    results = colorize_files(["scans/*/*.tif", "scans/b.jpg"], "colour", model)
    assert outputs(results) == ["colour/old/a.tif", "colour/b.jpg"]


def test_a_folder_with_a_pictures_suffix_is_a_folder(scans, model):
    Path("colour.png").mkdir()
    assert outputs(colorize_files(scans / "a.png", "colour.png", model)) == ["colour.png/a.png"]


def test_a_bad_file_stops_none_of_the_others(scans, model):
    (scans / "aa.png").write_bytes(Path("scans/a.png").read_bytes()[:100])
    (scans / "bb.jpg").write_text("not a picture")
    results = colorize_files([scans], "colour", model)
    errors = {str(result.source): result.error for result in results if result.error}
    assert list(errors) == ["scans/aa.png", "scans/bb.jpg"]
    assert errors["scans/aa.png"].startswith("scans/aa.png: truncated PNG")
    assert errors["scans/bb.jpg"].startswith("scans/bb.jpg: not a picture")
    assert len(list(Path("colour").rglob("[!.]*.*"))) == 4


def test_unreadable_and_unwritable_files_stop_none_of_the_others(scans, model):
    Path("colour").mkdir()
    Path("colour/old").write_text("a file where a folder is wanted")
    results = colorize_files([scans], "colour", model)
    assert [result.error is None for result in results] == [True, True, False, False]
    assert "colour/old" in results[2].error


def test_nothing_is_overwritten_unasked(scans, model):
    colorize_files([scans / "a.png", scans / "b.jpg"], "colour", model)
    before = Path("colour/a.png").read_bytes()
    with pytest.raises(ImageError, match=r"colour/a\.png and 1 more would be overwritten.*--overwrite"):
        colorize_files([scans], "colour", model)
    assert sorted(path.name for path in Path("colour").glob("[!.]*")) == ["a.png", "b.jpg"]
    write_image(scans / "a.png", 255 - GRAY, overwrite=True)
    assert all(result.error is None for result in colorize_files([scans], "colour", model, overwrite=True))
    assert Path("colour/a.png").read_bytes() != before


def test_an_output_folder_inside_the_input_folder_is_not_an_input(scans, model):
    first = colorize_files([scans], scans / "colour", model)
    again = colorize_files([scans], scans / "colour", model, overwrite=True)
    assert outputs(again) == outputs(first)


def test_earlier_outputs_alone_are_no_input(model, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_image("scans/colour/a.png", GRAY)
    with pytest.raises(ImageError, match="All pictures that were found are earlier outputs, in scans/colour"):
        colorize_files(["scans"], "scans/colour", model, overwrite=True)


@pytest.mark.parametrize(
    ("paths", "output", "message"),
    [
        (["scans"], "colour.png", r"4 pictures cannot go into the one file colour\.png"),
        (["scans/a.png", "scans/b.jpg"], "colour.png", r"2 pictures cannot go into the one file"),
        (["scans/a.png"], "colour.gif", r"colour\.gif cannot be written. Choose a suffix from \.jpeg"),
        (["scans/a.png"], "scans/a.png", r"scans/a\.png would replace an input picture"),
        (["scans"], "scans", r"scans/a\.png would replace an input picture"),
        (["twin/c.png", "twin/c.gif", "twin/c.gif.png"], "colour", r"would both become colour/c\.gif\.png"),
        (["scans/a.png"], "notes", "notes is a file. Name a folder"),
        (["missing.png"], "colour", r"missing\.png does not exist"),
    ],
)
@pytest.mark.parametrize("overwrite", [False, True])
def test_plans_that_would_lose_pictures(scans, model, paths, output, message, overwrite):
    write_image("twin/a.png", GRAY)
    for name in ("c.png", "c.gif.png"):
        write_image(f"twin/{name}", GRAY)
    Path("twin/c.gif").write_bytes(Path("scans/old/c.gif").read_bytes())
    Path("notes").touch()
    before = {path: path.read_bytes() for path in scans.rglob("*.*")}
    with pytest.raises(ImageError, match=message):
        colorize_files(paths, output, model, overwrite=overwrite)
    assert before == {path: path.read_bytes() for path in scans.rglob("*.*")}
    assert not Path("colour").exists()
