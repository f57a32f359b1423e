import os
import pickle
import zipfile

import pytest

from densecolor.errors import SourceError
from densecolor.packing.files import FolderFiles
from densecolor.packing.files import ZipFiles
from densecolor.packing.files import escape_undecodable


def test_folder_lists_sorted_paths_and_follows_links_but_not_in_circles(tmp_path):
    (tmp_path / "source/b").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    for name in ("source/b/2.jpg", "source/a.txt", "elsewhere/x.jpg"):
        (tmp_path / name).write_bytes(name.encode())
    (tmp_path / "source/linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "source/b/round").symlink_to(tmp_path / "source")
    (tmp_path / "source/gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    os.mkfifo(tmp_path / "source/pipe.jpg")
    files = FolderFiles(tmp_path / "source")
    assert files.names == ["a.txt", "b/2.jpg", "gone.jpg", "linked/x.jpg"]
    assert files.read("linked/x.jpg") == b"elsewhere/x.jpg"
    with pytest.raises(FileNotFoundError):
        files.read("gone.jpg")


def test_names_that_are_no_utf8_can_be_read_and_escaped(tmp_path):
    with open(os.path.join(os.fsencode(tmp_path), b"caf\xe9\n.jpg"), "wb") as file:
        file.write(b"content")
    files = FolderFiles(tmp_path)
    assert files.read(files.names[0]) == b"content"
    assert [escape_undecodable(name) for name in files.names] == ["caf%E9\n.jpg"]


def test_files_travel_without_their_list_and_handles(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for i in range(1000):
            archive.writestr(f"folder/{i:04d}.jpg", b"content %d" % i)
    files = ZipFiles(tmp_path / "many.zip")
    assert len(files.names) == 1000
    assert files.read("folder/0007.jpg") == b"content 7"
    sent = pickle.dumps(files)
    assert len(sent) < 300
    assert pickle.loads(sent).read("folder/0999.jpg") == b"content 999"


@pytest.mark.parametrize("damage", ["flip", "cut"])
def test_damage_inside_a_zip_is_an_oserror(tmp_path, damage):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", os.urandom(1000))
    data = bytearray(path.read_bytes())
    data[500:600] = bytes(100) if damage == "flip" else b"\xff" * 100
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"a\.jpg cannot be read"):
        ZipFiles(path).read("a.jpg")


@pytest.mark.parametrize(("method", "kept"), [(zipfile.ZIP_LZMA, 200), (zipfile.ZIP_LZMA, 1), (zipfile.ZIP_BZIP2, 200)])
def test_damage_in_other_compressions_is_an_oserror(tmp_path, method, kept):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.jpg", os.urandom(1000))
    data = bytearray(path.read_bytes())
    start = 30 + len("a.jpg") + kept  # after the local header
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"a\.jpg cannot be read|Invalid data"):
        ZipFiles(path).read("a.jpg")


def test_damaged_list_of_a_zip_is_named(tmp_path):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.jpg", b"content")
    path.write_bytes(path.read_bytes().replace(b"PK\1\2", b"PK\1\7"))
    assert zipfile.is_zipfile(path)
    with pytest.raises(SourceError, match=r"damaged\.zip is a damaged zip archive \(Bad magic number"):
        _ = ZipFiles(path).names


def test_hidden_files_are_not_listed(tmp_path):
    shown = ["a.b/c.jpg", "my__MACOSX.jpg"]
    hidden = [".a.jpg", ".git/b.jpg", "cat/._c.jpg", "cat/.x/d.jpg", "__MACOSX/cat/e.jpg"]
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for name in shown + hidden:
            path = tmp_path / ".folder" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"")
            archive.write(path, name)
    assert FolderFiles(tmp_path / ".folder").names == shown
    assert ZipFiles(tmp_path / "some.zip").names == shown
