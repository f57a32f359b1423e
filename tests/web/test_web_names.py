"""Names of uploads, and how long files stay."""

import os
import time

import pytest

from densecolor.web.names import clean_name
from densecolor.web.names import unique_names
from densecolor.web.storage import private_folder
from densecolor.web.storage import remove_old


@pytest.mark.parametrize(
    ("name", "cleaned"),
    [
        ("photo.jpg", "photo.jpg"),
        ("Großmutter 1931 (2).tif", "Großmutter 1931 (2).tif"),
        ("祖母.png", "祖母.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\scan.dcm", "scan.dcm"),
        ("a\0b\n<script>.png", "a_b_script_.png"),
        (".hidden.png", "hidden.png"),
        ("..", "picture"),
        ("", "picture"),
        ("NUL.png", "_NUL.png"),
        ("x" * 300 + ".nii", "x" * 76 + ".nii"),
    ],
)
def test_names_are_only_labels(name, cleaned):
    assert clean_name(name) == cleaned


def test_no_two_are_the_same():
    names = unique_names(["a.jpg", "b/a.jpg", "A.JPG", "a.gif", "a-2.png"])
    assert names == ["a.jpg", "a-2.jpg", "A-3.JPG", "a-4.gif", "a-2-2.png"]
    assert len({name.partition(".")[0].casefold() for name in names}) == 5


def test_the_folder_is_private_and_goes():
    with private_folder(60) as folder:
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "jobs").mkdir()
        (folder / "jobs" / "a.png").write_bytes(b"a")
    assert not folder.exists()


def test_old_files_go_and_new_ones_stay(tmp_path):
    old, new = tmp_path / "jobs" / "one" / "a.png", tmp_path / "jobs" / "two" / "b.png"
    for path in (old, new):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"a")
    for path in (old, old.parent, tmp_path / "jobs"):
        os.utime(path, (time.time() - 100,) * 2)
    remove_old(tmp_path, time.time() - 50)
    assert not old.exists()
    assert new.exists()
    os.utime(old.parent, (time.time() - 100,) * 2)
    remove_old(tmp_path, time.time() - 50)
    assert not old.parent.exists()
    assert new.exists()
    os.utime(tmp_path / "jobs", (time.time() - 100,) * 2)
    new.unlink()
    new.parent.rmdir()
    os.utime(tmp_path / "jobs", (time.time() - 100,) * 2)
    remove_old(tmp_path, time.time() - 50)
    assert (tmp_path / "jobs").is_dir()
