import h5py
import numpy as np
import pytest
from conftest import write_packed

from densecolor import shards
from densecolor.errors import ShardError


@pytest.fixture
def write(tmp_path, crops):
    """A function that packs thirty pictures into four shards."""

    def write_folder(compression="lzf", with_mask=False):
        splits = {"train": (crops, np.arange(30) % 3)}
        return write_packed(tmp_path / "p", splits, ["a", "b", "c"], compression, with_mask)

    return write_folder


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0xFF
    path.write_bytes(content)


def place_of_chunk(path, name, index):
    with h5py.File(path) as file:
        dataset = file[name]
        info = dataset.id.get_chunk_info_by_coord((index, *[0] * (dataset.ndim - 1)))
        return info.byte_offset + info.size // 2


def test_nothing_to_say_of_a_whole_folder(packed):
    calls = []
    assert shards.verify(packed, progress=lambda *call: calls.append(call)) == []
    assert calls == [(8, 30), (16, 30), (21, 30), (29, 30), (30, 30)]


@pytest.mark.parametrize("compression", ["lzf", "gzip"])
def test_damaged_pictures_are_named(write, compression):
    folder = write(compression, with_mask=True)
    first, second = folder / "train-00000-of-00004.h5", folder / "train-00001-of-00004.h5"
    flip(first, place_of_chunk(first, "ab", 2))
    flip(first, place_of_chunk(first, "mask", 5))
    flip(first, place_of_chunk(first, "L", 5))
    flip(second, place_of_chunk(second, "L", 0))
    assert shards.verify(folder) == [
        f"{first} is damaged: its SHA-256 is not the manifest's.",
        f"{first}: 2 of 8 pictures cannot be read: 'train/2.png', 'train/5.png'.",
        f"{second} is damaged: its SHA-256 is not the manifest's.",
        f"{second}: 1 of 8 pictures cannot be read: 'train/8.png'.",
    ]


def test_damage_outside_the_pictures(write):
    folder = write()
    paths = sorted(folder.glob("*.h5"))
    flip(paths[0], place_of_chunk(paths[0], "label", 0))
    with h5py.File(paths[1]) as file:
        key = file["key"].id.get_offset()
    flip(paths[1], key)
    with h5py.File(paths[2], "r+") as file:
        file.attrs["class_names"] = "[]"
    flip(paths[3], 0)
    problems = shards.verify(folder)
    assert all("SHA-256" in line or "bytes; the manifest says" in line for line in problems[::2])
    assert "is damaged or foreign" in problems[1]
    assert "is damaged or foreign" in problems[3]
    assert problems[5] == f"{paths[2]}: all 8 pictures can be read; the damage is in keys, attributes or unused bytes."
    assert "is not a whole HDF5 file" in problems[7]
    assert len(problems) == 8


def test_uncompressed_pictures_have_no_checksums_of_their_own(write):
    folder = write("none")
    path = folder / "train-00002-of-00004.h5"
    with h5py.File(path) as file:
        flip_at = file["L"].id.get_offset() + 5
    flip(path, flip_at)
    assert shards.verify(folder) == [
        f"{path} is damaged: its SHA-256 is not the manifest's.",
        f"{path}: which of its 8 pictures are damaged cannot be said, since it is not compressed.",
    ]


def test_many_damaged_pictures_are_counted(tmp_path, crops):
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))}, ["a"], shard_size=30)
    path = folder / "train-00000-of-00001.h5"
    for index in range(25):
        flip(path, place_of_chunk(path, "ab", index))
    line = shards.verify(folder)[1]
    assert "25 of 30 pictures" in line
    assert line.endswith("'train/19.png' and 5 more.")


def test_missing_shortened_and_extra_shards(write):
    folder = write()
    paths = sorted(folder.glob("*.h5"))
    paths[0].unlink()
    size = paths[1].stat().st_size
    paths[1].write_bytes(paths[1].read_bytes()[:-1])
    (folder / "train-00004-of-00004.h5").write_bytes(paths[2].read_bytes())
    problems = shards.verify(folder)
    assert problems[0] == f"{paths[0]} is missing."
    assert problems[1] == f"{paths[1]} has {size - 1} bytes; the manifest says {size}."
    assert "is not a whole HDF5 file" in problems[2]
    assert problems[3] == f"{folder / 'train-00004-of-00004.h5'} is not in the manifest."
    assert len(problems) == 4


def with_rejected(folder, count):
    manifest = shards.read_manifest(folder)
    shards.write_manifest(
        folder, shards.Manifest(manifest.image_size, manifest.class_names, {}, manifest.shards, rejected=count)
    )


def test_the_list_of_rejected_inputs(write):
    folder = write()
    path = folder / "rejected.csv"
    with_rejected(folder, 2)
    assert shards.verify(folder) == [f"{path} is missing; the manifest says that 2 inputs were rejected."]
    rows = [("a,b\n.jpg", "train", "the file is empty"), ("ä.jpg", "", "grayscale")]
    shards.write_rejected_rows(folder, rows)
    assert shards.verify(folder) == []
    assert shards.read_rejected(folder, 2) == rows
    with_rejected(folder, 3)
    assert shards.verify(folder) == [f"{path} lists 2 inputs; the manifest says 3."]


@pytest.mark.parametrize(
    "content",
    [b"", b"\xff\xfe", b"name,why\nx,y\n", b"key,split,reason\nx,y\n", b"key,split,reason\n" + b"x" * 200_000],
)
def test_a_damaged_list_of_rejected_inputs(write, content):
    folder = write()
    (folder / "rejected.csv").write_bytes(content)
    (problem,) = shards.verify(folder)
    assert "rejected.csv is damaged" in problem


def test_a_folder_without_a_manifest(tmp_path):
    with pytest.raises(ShardError, match="did not finish"):
        shards.verify(tmp_path)
