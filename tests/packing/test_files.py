import io
import multiprocessing
import os
import pickle
import tracemalloc
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


def test_both_unicode_forms_of_a_name_are_two_files(tmp_path):
    names = ["caf\u00e9.jpg", "cafe\u0301.jpg"]
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for name in names:
            (tmp_path / name).write_bytes(name.encode())
            archive.write(tmp_path / name, name)
    for files in (FolderFiles(tmp_path), ZipFiles(tmp_path / "some.zip")):
        assert {name: files.read_name(name) for name in names} == {name: name.encode() for name in names}


def test_link_to_itself_is_a_file_that_cannot_be_read(tmp_path):
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    files = FolderFiles(tmp_path)
    assert files.names == ["loop.jpg"]
    with pytest.raises(OSError, match="Too many levels of symbolic links"):
        files.read("loop.jpg")


def test_folders_nested_deeper_than_a_stack(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(1200):
        os.mkdir("d")
        os.chdir("d")
    open("a.jpg", "wb").close()
    names = FolderFiles(tmp_path).names
    os.remove("a.jpg")
    for _ in range(1200):  # pytest's own clean-up would be too deep
        os.chdir("..")
        os.rmdir("d")
    assert names == ["d/" * 1200 + "a.jpg"]


def test_folder_that_cannot_be_listed_is_refused_and_the_others_are_not(tmp_path):
    closed = tmp_path / "closed"
    for name in ("closed", "open"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.jpg").write_bytes(b"")
    closed.chmod(0)
    try:
        if os.access(closed, os.R_OK):
            pytest.skip("this user may read every folder")
        files = FolderFiles(tmp_path)
        assert files.names == ["open/a.jpg"]
        assert files.refused == [("closed/", "cannot be listed: Permission denied")]
        with pytest.raises(SourceError, match=r"closed cannot be listed: Permission denied"):
            _ = FolderFiles(closed).names
    finally:
        closed.chmod(0o755)


def test_folder_whose_path_is_too_long_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    os.chdir(tmp_path)
    (tmp_path / "a.jpg").write_bytes(b"")
    files = FolderFiles(tmp_path)
    assert files.names == ["a.jpg"]
    assert [(name[:250], reason) for name, reason in files.refused] == [
        ("d" * 250, "cannot be listed: File name too long")
    ]


def test_files_travel_without_their_list_and_handles(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for i in range(1000):
            archive.writestr(f"folder/{i:04d}.jpg", b"content %d" % i)
    files = ZipFiles(tmp_path / "many.zip")
    assert len(files.names) == 1000
    assert files.read_name("folder/0007.jpg") == b"content 7"
    sent = pickle.dumps(files)
    assert len(sent) < 300
    assert pickle.loads(sent).read(files.place("folder/0999.jpg")) == b"content 999"
    assert len(pickle.dumps(files.place("folder/0999.jpg"))) < 60


def read_in_child(files, name, results):
    results.put([files.read(files.place(name)) for _ in range(200)])


def test_a_forked_process_may_read_at_the_same_time(tmp_path):
    context = multiprocessing.get_context("fork")
    contents = {f"{i}.jpg": os.urandom(50_000) for i in range(3)}
    with zipfile.ZipFile(tmp_path / "some.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    files, results = ZipFiles(tmp_path / "some.zip"), context.SimpleQueue()
    assert files.read_name("0.jpg") == contents["0.jpg"]  # opens the archive before the fork
    child = context.Process(target=read_in_child, args=(files, "1.jpg", results))
    child.start()
    assert {files.read_name("2.jpg") for _ in range(200)} == {contents["2.jpg"]}
    assert set(results.get()) == {contents["1.jpg"]}
    child.join()


METHODS = [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]


def zip_of_one(path, method, content=None):
    with zipfile.ZipFile(path, "w", method) as archive:
        archive.writestr("a.jpg", os.urandom(1000) if content is None else content)
    return path


@pytest.mark.parametrize("method", METHODS)
def test_every_compression_of_a_zip(tmp_path, method):
    content = b"content" * 1000
    files = ZipFiles(zip_of_one(tmp_path / "some.zip", method, content))
    assert files.read_name("a.jpg") == content
    assert ZipFiles(zip_of_one(tmp_path / "empty.zip", method, b"")).read_name("a.jpg") == b""


def test_zip_written_to_a_pipe_has_sizes_behind_its_files(tmp_path):
    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", b"first")
        archive.writestr("b.jpg", b"second")
    (tmp_path / "piped.zip").write_bytes(pipe.getvalue())
    files = ZipFiles(tmp_path / "piped.zip")
    assert [files.read_name(name) for name in files.names] == [b"first", b"second"]


def test_zip_behind_another_file_is_read_at_the_right_offsets(tmp_path):
    path = zip_of_one(tmp_path / "plain.zip", zipfile.ZIP_STORED, b"content")
    (tmp_path / "behind.zip").write_bytes(b"#!/bin/sh\n" + path.read_bytes())
    assert ZipFiles(tmp_path / "behind.zip").read_name("a.jpg") == b"content"


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("kept", [0, 1, 200])
def test_damage_inside_a_zip_is_an_oserror_that_does_not_name_the_file(tmp_path, method, kept):
    path = zip_of_one(tmp_path / "damaged.zip", method)
    data = bytearray(path.read_bytes())
    start = 30 + len("a.jpg") + kept  # after the local header
    data[start : start + 200] = b"\xff" * 200
    path.write_bytes(data)
    files = ZipFiles(path)
    with pytest.raises(OSError, match="damaged in its archive") as raised:
        files.read_name("a.jpg")
    assert "a.jpg" not in str(raised.value)


def test_zip_that_is_cut_after_listing_is_an_oserror(tmp_path):
    files = ZipFiles(zip_of_one(tmp_path / "cut.zip", zipfile.ZIP_STORED))
    place = files.place("a.jpg")
    for size in (500, 10):
        os.truncate(tmp_path / "cut.zip", size)
        with pytest.raises(OSError, match=r"damaged in its archive \(it ends too early\)"):
            files.read(place)


def test_directory_that_points_nowhere_is_an_oserror(tmp_path):
    path = zip_of_one(tmp_path / "damaged.zip", zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(b"PK\3\4", b"PK\3\7"))
    with pytest.raises(OSError, match=r"no file begins where the directory says"):
        ZipFiles(path).read_name("a.jpg")


def test_encrypted_file_is_an_oserror(tmp_path):
    path = zip_of_one(tmp_path / "secret.zip", zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    for signature, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(signature) + place] |= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match=r"damaged in its archive \(it is encrypted\)"):
        ZipFiles(path).read_name("a.jpg")


def test_a_zip_bomb_is_decompressed_no_further_than_it_says(tmp_path):
    path = zip_of_one(tmp_path / "bomb.zip", zipfile.ZIP_DEFLATED, bytes(100_000_000))
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\1\2")
    data[directory + 24 : directory + 28] = (1000).to_bytes(4, "little")
    path.write_bytes(data)
    files = ZipFiles(path)
    place = files.place("a.jpg")
    tracemalloc.start()
    with pytest.raises(OSError, match="damaged in its archive"):
        files.read(place)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_file_too_large_for_memory_is_refused(tmp_path):
    path = zip_of_one(tmp_path / "large.zip", zipfile.ZIP_DEFLATED)
    data = bytearray(path.read_bytes())
    directory = data.index(b"PK\1\2")
    data[directory + 24 : directory + 28] = ((1 << 31) + 1).to_bytes(4, "little")
    path.write_bytes(data)
    files = ZipFiles(path)
    assert files.names == []
    assert files.refused == [("a.jpg", "larger than 2 GiB")]


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
