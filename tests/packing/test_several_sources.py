"""Patterns, single pictures, and several sources as one."""

import os
import zipfile

import pytest
from made_sources import listed
from made_sources import tar_bytes
from made_sources import touch
from made_sources import write_files
from made_sources import write_tar

from densecolor.errors import SourceError
from densecolor.packing import open_source
from densecolor.packing.sources import open_sources


def bytes_of(source):
    """What each picture's own file holds, by key."""
    found = {}
    for entry in source.entries:
        number, place = source.reader.locate(entry)
        found[entry.key] = source.reader.readers[number].files.read(place)
    return found


@pytest.mark.parametrize(
    ("pattern", "keys"),
    [
        ("*.jpg", ["a.jpg", "b.jpg"]),
        ("scans/*", ["1.png", "2.jpg"]),
        ("scans/*/*.png", ["x/3.png"]),
        ("scans/**/*.png", ["1.png", "x/3.png", "x/y/4.png"]),
        ("scans/**", ["1.png", "2.jpg", "x/3.png", "x/y/4.png"]),
        ("**/y/*", ["scans/x/y/4.png"]),
        ("[ab].j?g", ["a.jpg", "b.jpg"]),
    ],
)
def test_patterns(tmp_path, pattern, keys):
    touch(tmp_path, "a.jpg", "b.jpg", "c.txt", ".hidden.jpg", "scans/1.png", "scans/2.jpg", "scans/notes.txt")
    touch(tmp_path, "scans/x/3.png", "scans/x/y/4.png", "scans/.x/5.png")
    source = open_source(f"{tmp_path}/{pattern}")
    assert source.layout == "glob"
    assert source.class_names == []
    assert listed(source) == dict.fromkeys(keys, (-1, None))


def test_pattern_is_taken_from_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(write_files(tmp_path, {"scans/a.jpg": b"content"}))
    source = open_source("scans/*.jpg")
    assert listed(source) == {"a.jpg": (-1, None)}
    monkeypatch.chdir("/")
    assert source.reader.files.read(source.reader.locate(source.entries[0])) == b"content"


def test_pattern_over_links_in_a_circle_ends(tmp_path):
    touch(tmp_path, "scans/a.png", "scans/x/b.png")
    for name in ("scans/x/round", "scans/x/again"):
        (tmp_path / name).symlink_to(tmp_path / "scans")
    assert list(listed(open_source(tmp_path / "scans/**/*.png"))) == ["a.png", "x/b.png"]


def test_brackets_in_real_names_are_no_pattern(tmp_path):
    touch(tmp_path, "photos [2019]/a [1].jpg", "photos [2019]/b.jpg")
    assert list(listed(open_source(tmp_path / "photos [2019]"))) == ["a [1].jpg", "b.jpg"]
    assert list(listed(open_source(tmp_path / "photos [2019]/a [1].jpg"))) == ["a [1].jpg"]
    assert list(listed(open_source(tmp_path / "photos [2019]/*.jpg"))) == ["a [1].jpg", "b.jpg"]


@pytest.mark.parametrize(
    ("pattern", "layout", "message"),
    [
        ("*.tif", "auto", r"There are no images in .*\*\.tif \(layout glob\)"),
        ("nowhere/*.jpg", "auto", r"There is no folder .*nowhere for the pattern"),
        ("*.jpg", "folder", r"Layout folder is not for a pattern or a single file"),
    ],
)
def test_wrong_patterns(tmp_path, pattern, layout, message):
    touch(tmp_path, "a.jpg")
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / pattern, layout)


def test_one_source_keeps_its_keys(tmp_path):
    touch(tmp_path, "cat/1.jpg")
    assert listed(open_sources([tmp_path])) == {"cat/1.jpg": (0, None)}


def test_several_sources_have_their_names_in_keys_and_common_classes(tmp_path):
    write_files(tmp_path, {"first/dog/1.jpg": b"1", "first/cat/2.jpg": b"2", "first/3.jpg": b"3"})
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("bird/4.jpg", b"4")
        archive.writestr("dog/5.jpg", b"5")
        archive.writestr("../6.jpg", b"6")
    write_files(tmp_path, {"third/7.jpg": b"7", "third/x/8.jpg": b"8"})
    paths = [tmp_path / "first", tmp_path / "more.zip", f"{tmp_path}/third/**/*.jpg"]
    source = open_sources(paths)
    assert source.class_names == ["cat", "dog", "bird"]
    assert source.layout == "folder+glob"
    assert listed(source) == {
        "first/3.jpg": (-1, None),
        "first/cat/2.jpg": (0, None),
        "first/dog/1.jpg": (1, None),
        "more.zip/bird/4.jpg": (2, None),
        "more.zip/dog/5.jpg": (1, None),
        "third/7.jpg": (-1, None),
        "third/x/8.jpg": (-1, None),
    }
    assert {key: content.decode() for key, content in bytes_of(source).items()} == {
        key: os.path.basename(key).removesuffix(".jpg") for key in listed(source)
    }
    assert source.refused == [("more.zip/../6.jpg", "its path leads out of the archive")]


def test_sources_of_the_same_name_are_numbered(tmp_path, monkeypatch):
    monkeypatch.chdir(touch(tmp_path, "a/photos/1.jpg", "b/photos/1.jpg", "c/1.jpg"))
    source = open_sources(["a/photos", "b/photos/", "c"])
    assert list(listed(source)) == ["photos-1/1.jpg", "photos-2/1.jpg", "c/1.jpg"]
    monkeypatch.chdir("c")
    assert list(listed(open_sources([".", "../a/photos"]))) == ["c/1.jpg", "photos/1.jpg"]


def test_a_source_of_several_archives_among_others(tmp_path):
    train = tar_bytes([("n01440764_1.JPEG", b"train")])
    write_files(tmp_path, {"imagenet/ILSVRC2012_img_train.tar": tar_bytes([("n01440764.tar", train)])})
    write_tar(tmp_path / "imagenet/ILSVRC2012_img_val.tar", [("ILSVRC2012_val_00000001.JPEG", b"validation")])
    write_files(tmp_path, {"photos/a.jpg": b"photo", "more/b.jpg": b"more"})
    source = open_sources([tmp_path / "photos", tmp_path / "imagenet", tmp_path / "more"])
    assert bytes_of(source) == {
        "photos/a.jpg": b"photo",
        "imagenet/train/n01440764/n01440764_1.JPEG": b"train",
        "imagenet/validation/ILSVRC2012_val_00000001.JPEG": b"validation",
        "more/b.jpg": b"more",
    }
    places = {entry.key: source.reader.locate(entry) for entry in source.entries}
    assert all(map(source.reader.is_there, places.values()))
    (tmp_path / "imagenet/ILSVRC2012_img_val.tar").unlink()
    assert [key for key, place in places.items() if not source.reader.is_there(place)] == [
        "imagenet/validation/ILSVRC2012_val_00000001.JPEG"
    ]
