import json

import cv2
import numpy as np
import pytest

from densecolor.errors import DensecolorError
from densecolor.evaluation import evaluate

FILES = [
    "index.html",
    "info_loss.png",
    "metrics.json",
    "per_image.csv",
    "pictures.png",
    "table.csv",
    "table.md",
    "table.tex",
]


def green(lightness):
    return {"ab": np.stack([np.full(lightness.shape[:3], -0.3), np.full(lightness.shape[:3], 0.2)], axis=-1)}


def red(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), 0.3)}


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_files_of_a_report(packed, tmp_path):
    folder = tmp_path / "deep" / "report"
    evaluate([green, red], packed, report=folder, limit=4)
    assert names_in(folder) == FILES
    for name in ("pictures.png", "info_loss.png"):
        assert cv2.imread(str(folder / name)).std() > 10


def test_pictures_show_the_predictions_of_the_models(packed, tmp_path):
    evaluate([green, red], packed, report=tmp_path / "report", limit=4)
    drawn = cv2.cvtColor(cv2.imread(str(tmp_path / "report" / "pictures.png")), cv2.COLOR_BGR2LAB).astype(int)
    chroma_a = drawn[..., 1] - 128
    columns = np.array_split(chroma_a, 4, axis=1)  # gray, green, red, truth
    assert abs(columns[0]).max() <= 2
    assert columns[1].mean() < -10
    assert columns[2].mean() > 10


def test_an_earlier_report_is_replaced_and_nothing_else_touched(packed, tmp_path):
    folder = tmp_path / "report"
    evaluate(green, packed, report=folder, limit=3)
    (folder / "notes.txt").write_text("mine")
    evaluate(red, packed, report=folder, limit=4)
    assert names_in(folder) == sorted([*FILES, "notes.txt"])
    assert "red" in json.loads((folder / "metrics.json").read_text())["systems"]
    assert (folder / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("foreign", ["metrics.json", "holiday.jpg"])
def test_a_folder_of_other_things_is_refused_before_any_work(packed, tmp_path, foreign):
    (tmp_path / foreign).write_text("[1]")
    with pytest.raises(DensecolorError, match="holds no report of densecolor"):
        evaluate(pytest.fail, packed, report=tmp_path)
    assert names_in(tmp_path) == [foreign]


def test_a_file_in_the_place_of_the_folder_is_refused(packed, tmp_path):
    (tmp_path / "report").write_text("")
    with pytest.raises(DensecolorError, match=r"needs a folder, and .*report is a file"):
        evaluate(pytest.fail, packed, report=tmp_path / "report")


def test_a_failed_evaluation_leaves_no_report(packed, tmp_path):
    with pytest.raises(DensecolorError, match="predicts NaN"):
        evaluate({"nan": lambda lightness: {"ab": red(lightness)["ab"] * np.nan}}, packed, report=tmp_path / "report")
    assert names_in(tmp_path) == []


def test_a_failed_evaluation_keeps_what_was_there(packed, tmp_path):
    (tmp_path / "mine").mkdir()
    for report in (tmp_path / "mine", tmp_path / "mine" / "deep" / "report"):
        with pytest.raises(DensecolorError, match="no split"):
            evaluate(red, packed, split="test", report=report)
        assert names_in(tmp_path) == ["mine"]
        assert names_in(tmp_path / "mine") == []


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(packed, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file"):
        evaluate(pytest.fail, packed, report=tmp_path / "file" / "report")


def test_an_empty_folder_may_take_a_report(packed, tmp_path):
    evaluate(red, packed, report=tmp_path, limit=2)
    assert names_in(tmp_path) == FILES


def test_names_are_drawn_as_they_are(packed, tmp_path):
    evaluate({"$\\frac{": red, "_é^": green}, packed, report=tmp_path / "report", limit=2)
    assert names_in(tmp_path / "report") == FILES
