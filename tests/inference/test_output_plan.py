import os
from pathlib import Path

import pytest

from densecolor.inference import plan_outputs


@pytest.fixture
def touch(tmp_path, monkeypatch):
    """Makes empty files by their names; a plan looks at nothing else."""
    monkeypatch.chdir(tmp_path)

    def touch_all(*names):
        for name in names:
            Path(name).parent.mkdir(parents=True, exist_ok=True)
            Path(name).touch()

    return touch_all


def planned(paths):
    return {str(source): str(target) for source, target in plan_outputs(paths, Path("colour")).items()}


def test_files_of_one_name_get_their_folders_back(touch):
    touch("scans/1901/page.tif", "scans/1902/page.tif", "other/cover.jpg")
    # What a shell makes of scans/*/page.tif.
    assert planned(["scans/1901/page.tif", "scans/1902/page.tif", "other/cover.jpg"]) == {
        "scans/1901/page.tif": "colour/1901/page.tif",
        "scans/1902/page.tif": "colour/1902/page.tif",
        "other/cover.jpg": "colour/cover.jpg",
    }


def test_formats_that_become_png_do_not_collide_with_pngs(touch):
    touch("scans/a.gif", "scans/a.bmp", "scans/a.png", "scans/b.gif")
    assert planned(["scans"]) == {
        "scans/a.bmp": "colour/a.bmp.png",
        "scans/a.gif": "colour/a.gif.png",
        "scans/a.png": "colour/a.png",
        "scans/b.gif": "colour/b.png",
    }


def test_two_folders_with_the_same_names(touch):
    touch("left/a.png", "left/deep/b.png", "right/a.png")
    assert planned(["left", "right"]) == {
        "left/a.png": "colour/left/a.png",
        "left/deep/b.png": "colour/deep/b.png",
        "right/a.png": "colour/right/a.png",
    }


def test_ten_thousand_files_of_one_name(touch):
    names = [f"scans/{number:04d}/page.png" for number in range(10_000)]
    touch(*names)
    wanted = {name: name.replace("scans", "colour", 1) for name in names}
    assert planned(names) == wanted  # as a shell lists them
    assert planned(["scans"]) == wanted


def test_a_link_to_an_input_is_no_output(touch):
    touch("scans/a.png")
    os.symlink("scans", "colour")
    with pytest.raises(ValueError, match=r"colour/a\.png would replace an input picture"):
        planned(["scans"])
