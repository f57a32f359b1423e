import re
from pathlib import Path

import pytest

from densecolor.errors import ImageError
from densecolor.image_io import find_images
from densecolor.image_io import find_images_with_names


@pytest.fixture
def folder(tmp_path, monkeypatch):
    for name in (
        "b.png",
        "a.JPG",
        "sub/c.tif",
        "sub/deep/d.webp",
        "notes.txt",
        ".hidden.png",
        ".thumbnails/b.png",
        "e[1].png",
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "photos" / "folder.png").mkdir()
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("folder")
def test_folders_are_searched_by_suffix_and_sorted():
    found = find_images(["photos"])
    assert found == [Path("photos") / name for name in ("a.JPG", "b.png", "e[1].png", "sub/c.tif", "sub/deep/d.webp")]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("photos/*.png", ["b.png", "e[1].png"]),
        ("photos/**/*.*", ["a.JPG", "b.png", "e[1].png", "sub/c.tif", "sub/deep/d.webp"]),
        ("photos/s*/*.tif", ["sub/c.tif"]),
        ("photos/[ab].*", ["a.JPG", "b.png"]),
    ],
)
def test_globs_keep_the_path_below_their_fixed_part(pattern, names):
    found = find_images_with_names([pattern])
    assert found == {Path("photos") / name: Path(name) for name in names}


@pytest.mark.usefixtures("folder")
def test_files_are_taken_as_they_are_named():
    assert find_images_with_names(["photos/notes.txt", "photos/e[1].png", "photos/sub/deep/d.webp"]) == {
        Path("photos/notes.txt"): Path("notes.txt"),
        Path("photos/e[1].png"): Path("e[1].png"),
        Path("photos/sub/deep/d.webp"): Path("d.webp"),
    }


@pytest.mark.usefixtures("folder")
def test_order_is_kept_and_a_picture_named_twice_comes_once():
    assert find_images(["photos/b.png", Path("photos/sub"), "./photos/b.png", "photos/*.png"]) == [
        Path("photos/b.png"),
        Path("photos/sub/c.tif"),
        Path("photos/sub/deep/d.webp"),
        Path("photos/e[1].png"),
    ]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("missing.png", "missing.png does not exist"),
        ("empty", "empty holds no picture (.bmp, .gif"),
        ("photos/*.gif", "photos/*.gif holds no picture"),
    ],
)
def test_what_names_no_picture_is_an_error(path, message):
    with pytest.raises(ImageError, match=re.escape(message)):
        find_images([path])
