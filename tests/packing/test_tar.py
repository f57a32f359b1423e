import io
import os
import pickle
import tarfile
import zipfile

import numpy as np
import pytest
from made_sources import tar_bytes
from made_sources import write_tar

from densecolor.errors import SourceError
from densecolor.packing import open_source
from densecolor.packing.files import TarFiles
from densecolor.packing.files import ZipFiles
from densecolor.packing.files import open_files


def link(name, target, kind=tarfile.SYMTYPE):
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return name, member


def folder(name):
    member = tarfile.TarInfo(name)
    member.type = tarfile.DIRTYPE
    return name, member


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_tar_is_read_at_offsets(tmp_path, kind):
    contents = {f"class{i % 3}/{i}.jpg": os.urandom(i * 100) for i in range(20)}
    files = TarFiles(write_tar(tmp_path / "some.tar", [folder("class0"), *contents.items()], kind))
    assert files.names == sorted(contents)
    assert {name: files.read_name(name) for name in files.names} == contents
    sent = pickle.dumps(files)
    assert len(sent) < 300
    place = pickle.loads(pickle.dumps(files.place("class1/7.jpg")))
    assert pickle.loads(sent).read(place) == contents["class1/7.jpg"]


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_and_strange_names_in_a_tar(tmp_path, kind):
    names = ["long/" * 60 + "a.jpg", "line\nbreak.jpg", "caf\u00e9.jpg", "cafe\u0301.jpg", "no\udce9utf.jpg"]
    files = TarFiles(
        write_tar(tmp_path / "some.tar", [(name, name[:9].encode("utf-8", "replace")) for name in names], kind)
    )
    assert files.names == sorted(names)
    assert files.read_name("line\nbreak.jpg") == b"line\nbrea"


def test_tars_in_a_tar_are_folders(tmp_path):
    inner = [tar_bytes([(f"n0{i}_{j}.JPEG", b"%d %d" % (i, j)) for j in range(3)]) for i in range(2)]
    path = write_tar(tmp_path / "train.tar", [(f"n0{i}.tar", data) for i, data in enumerate(inner)])
    files = TarFiles(path)
    assert files.names == [f"n0{i}/n0{i}_{j}.JPEG" for i in range(2) for j in range(3)]
    assert [files.read_name(name) for name in files.names] == [b"%d %d" % (i, j) for i in range(2) for j in range(3)]


def test_tars_nested_without_end_are_refused(tmp_path):
    data = b"content"
    for _ in range(30):
        data = tar_bytes([("inner.tar", data)])
    (tmp_path / "nested.tar").write_bytes(data)
    with pytest.raises(SourceError, match=r"nested\.tar holds tars in tars more than 8 deep"):
        _ = TarFiles(tmp_path / "nested.tar").names


def test_dots_and_empty_parts_are_left_out_of_names(tmp_path):
    files = TarFiles(write_tar(tmp_path / "some.tar", [("./a.jpg", b"1"), ("./cat//b.jpg", b"2"), ("c/./d.jpg", b"3")]))
    assert files.names == ["a.jpg", "c/d.jpg", "cat/b.jpg"]
    assert [files.read_name(name) for name in files.names] == [b"1", b"3", b"2"]


OUTSIDE = ["../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "C:\\x.jpg", "..\\x.jpg", "a/b/.."]


def test_paths_out_of_an_archive_are_refused_by_name(tmp_path):
    members = [*((name, b"bad") for name in OUTSIDE), ("good/..jpg", b"good"), ("a..b/1.jpg", b"good")]
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as archive:
        for name, content in members:
            archive.writestr(name, content)
    for files in (TarFiles(write_tar(tmp_path / "some.tar", members)), ZipFiles(tmp_path / "some.zip")):
        assert files.names == ["a..b/1.jpg"]  # "..jpg" is hidden
        assert files.refused == [(name, "its path leads out of the archive") for name in OUTSIDE]
    source = open_source(tmp_path / "some.tar")
    assert [key for key, _ in source.refused] == OUTSIDE[:-1]  # "a/b/.." is no picture
    assert sorted(os.listdir(tmp_path)) == ["some.tar", "some.zip"]


def test_links_and_devices_in_a_tar_are_refused(tmp_path):
    members = [
        link("a.jpg", "/etc/passwd"),
        link("b.jpg", "c.jpg", tarfile.LNKTYPE),
        link("d.jpg", "", tarfile.FIFOTYPE),
    ]
    files = TarFiles(write_tar(tmp_path / "some.tar", [("c.jpg", b"content"), *members]))
    assert files.names == ["c.jpg"]
    assert files.refused == [(name, "a link or device inside an archive") for name in ("a.jpg", "b.jpg", "d.jpg")]


def test_a_name_that_occurs_twice_gives_the_later_file_and_is_accounted_for(tmp_path):
    files = TarFiles(write_tar(tmp_path / "some.tar", [("a.jpg", b"first"), ("b.jpg", b"b"), ("./a.jpg", b"second")]))
    assert files.names == ["a.jpg", "b.jpg"]
    assert files.read_name("a.jpg") == b"second"
    assert files.refused == [("a.jpg", "duplicate key: a later file in the archive has the same name")]


def test_a_tar_that_is_cut_anywhere_is_an_error(tmp_path):
    names = ["a.jpg", "dir/b.jpg", "c.jpg"]
    data = tar_bytes([(names[0], b"a" * 700), folder("dir"), (names[1], b""), (names[2], b"c" * 512)])
    end = 512 * (1 + 2 + 1 + 1 + 1 + 1)
    path = tmp_path / "cut.tar"
    for size in [*range(1, end + 512, 64), *(block + extra for block in range(512, end, 512) for extra in (-1, 0, 1))]:
        path.write_bytes(data[:size])
        with pytest.raises(SourceError, match=r"cut\.tar is damaged or truncated at byte \d+: .* Copy or download it"):
            _ = TarFiles(path).names
    path.write_bytes(data[: end + 512])
    assert TarFiles(path).names == sorted(names)


def test_a_damaged_header_does_not_hide_the_files_behind_it(tmp_path):
    path = write_tar(tmp_path / "damaged.tar", [("a.jpg", b"a" * 700), ("b.jpg", b"b"), ("c.jpg", b"c")])
    data = bytearray(path.read_bytes())
    data[1536] ^= 0xFF
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"damaged\.tar is damaged or truncated at byte 1536: .* 1 files before that"):
        _ = TarFiles(path).names


def test_a_damaged_tar_in_a_tar_is_named(tmp_path):
    inner = tar_bytes([("n01_0.JPEG", b"0"), ("n01_1.JPEG", b"1")])
    path = write_tar(tmp_path / "train.tar", [("n00.tar", inner), ("n01.tar", inner[:1500])])
    with pytest.raises(SourceError, match=r"train\.tar \(a tar inside it\) is damaged or truncated at byte"):
        _ = TarFiles(path).names


def test_mutated_tars_give_errors_or_files_of_the_archive(tmp_path):
    inner = tar_bytes([(f"n01_{i}.JPEG", b"content") for i in range(3)])
    original = tar_bytes([("a" * 120, b"long"), ("n01.tar", inner), ("b.jpg", b"b" * 600)])
    path, random, accounts = tmp_path / "mutated.tar", np.random.default_rng(0), []
    for _ in range(1000):
        data = np.frombuffer(original, np.uint8).copy()
        places = random.integers(0, len(data), random.integers(1, 20))
        data[places] = random.integers(0, 256, len(places))
        path.write_bytes(data.tobytes())
        files = TarFiles(path)
        try:
            accounts.append(len([files.read_name(name) for name in files.names]) + len(files.refused))
        except SourceError:
            accounts.append(None)
    # A mutated name may be a hidden one, or no longer end with ".tar"; nothing else may go missing.
    assert {None, 5} <= set(accounts) <= {None, 2, 3, 4, 5}


def test_file_that_shrinks_after_listing_is_an_oserror(tmp_path):
    files = TarFiles(write_tar(tmp_path / "some.tar", [("a.jpg", b"a" * 1000)]))
    place = files.place("a.jpg")
    os.truncate(tmp_path / "some.tar", 900)
    with pytest.raises(OSError, match=r"damaged in its archive \(it ends too early\)"):
        files.read(place)


@pytest.mark.parametrize(("mode", "command"), [("w:gz", "gunzip"), ("w:bz2", "bunzip2"), ("w:xz", "unxz")])
def test_compressed_tars_are_to_be_decompressed_first(tmp_path, mode, command):
    with tarfile.open(tmp_path / "some.tar.z", mode) as archive:
        archive.addfile(tarfile.TarInfo("a.jpg"))
    with pytest.raises(SourceError, match=rf"compressed as a whole\. Decompress it first: {command} -k some\.tar\.z"):
        open_source(tmp_path / "some.tar.z")


def test_a_tar_that_ends_with_a_zip_is_a_tar(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("inner.jpg", b"inner")
    path = write_tar(tmp_path / "some.tar", [("a.jpg", b"a"), ("inner.zip", stream.getvalue())])
    assert open_files(path).names == ["a.jpg", "inner.zip"]


def test_class_folders_in_a_tar(tmp_path):
    names = ["photos/train/cat/1.jpg", "photos/train/dog/2.jpg", "photos/val/dog/3.jpg"]
    source = open_source(write_tar(tmp_path / "photos.tar", [(f"./{name}", name.encode()) for name in names]))
    assert source.class_names == ["cat", "dog"]
    assert [(e.key, e.label, e.split) for e in source.entries] == [
        ("train/cat/1.jpg", 0, "train"),
        ("train/dog/2.jpg", 1, "train"),
        ("val/dog/3.jpg", 1, "validation"),
    ]
    assert source.reader.files.read(source.reader.locate(source.entries[2])) == names[2].encode()
