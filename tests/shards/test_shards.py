import json
import re
import subprocess
import sys

import h5py
import numpy as np
import pytest
from conftest import write_packed

from densecolor import shards
from densecolor.errors import ShardError


def encode(crops, compression="lzf", keys=None):
    lightness = crops[..., 0]
    ab = crops[..., 1:].astype(np.int8)
    keys = keys or [f"{i}.png" for i in range(len(crops))]
    return shards.encode_block(keys, range(len(crops)), [(3, 4)] * len(crops), lightness, ab, None, compression)


def write_shard(path, crops, capacity=None, compression="lzf", keys=None):
    with shards.ShardWriter(
        path, capacity=capacity or len(crops), image_size=32, split="train", compression=compression
    ) as writer:
        for start in range(0, len(crops), 4):
            part = slice(start, start + 4)
            writer.append(encode(crops[part], compression, keys and keys[part]))
    return writer.info


@pytest.mark.parametrize("compression", shards.COMPRESSIONS)
@pytest.mark.parametrize("spare", [0, 3])
def test_plain_h5py_reads_what_was_written(tmp_path, crops, compression, spare):
    crops = crops[:9]
    keys = ["ä/ü.png", "", "x" * 300, *[f"{i}" for i in range(6)]]
    write_shard(tmp_path / "a.h5", crops, len(crops) + spare, compression, keys)
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["L"][:], crops[..., 0])
        np.testing.assert_array_equal(file["ab"][:], crops[..., 1:].astype(np.int8))
        assert file["L"].dtype == np.uint8
        assert file["ab"].dtype == np.int8
        assert file["label"].dtype == np.int32
        assert file["original_size"][:].tolist() == [[3, 4]] * 9
        assert [key.decode() for key in file["key"][:]] == keys
        assert file["key"].compression is None
        assert h5py.check_string_dtype(file["key"].dtype).encoding == "utf-8"
        assert file.attrs["format"] == "densecolor-lab"
        assert json.loads(file.attrs["class_names"]) == []
        if compression == "none":
            assert file["L"].chunks is None
        else:
            assert file["L"].chunks == (1, 32, 32)
            assert file["ab"].compression == compression
            assert file["ab"].fletcher32


@pytest.mark.parametrize("compression", shards.COMPRESSIONS)
def test_shard_reads_single_images_and_slices(tmp_path, crops, compression):
    write_shard(tmp_path / "a.h5", crops[:6], compression=compression)
    with shards.open_shard(tmp_path / "a.h5") as shard:
        assert (shard.count, shard.image_size, shard.split) == (6, 32, "train")
        np.testing.assert_array_equal(shard.L[5], crops[5, ..., 0])
        np.testing.assert_array_equal(shard.ab[2:4], crops[2:4, ..., 1:].astype(np.int8))
        assert isinstance(shard.L, np.memmap) == (compression == "none")
        assert shard.mask is None


def test_same_input_gives_the_same_bytes(tmp_path, crops):
    first = write_shard(tmp_path / "a.h5", crops, 40)
    second = write_shard(tmp_path / "b.h5", crops, 40)
    assert first.sha256 == second.sha256 == shards.sha256_of(tmp_path / "b.h5")


def test_empty_shard(tmp_path):
    for compression in shards.COMPRESSIONS:
        path = tmp_path / f"{compression}.h5"
        with shards.ShardWriter(path, capacity=5, image_size=8, split="test", compression=compression):
            pass
        with shards.open_shard(path) as shard:
            assert (shard.count, shard.keys) == (0, [])


def test_nothing_appears_when_writing_fails(tmp_path, crops):
    def stop_halfway():
        with shards.ShardWriter(tmp_path / "a.h5", capacity=9, image_size=32, split="train") as writer:
            writer.append(encode(crops[:4]))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_halfway()
    assert list(tmp_path.iterdir()) == []


def test_too_many_images(tmp_path, crops):
    with pytest.raises(ShardError, match="room for 3"):
        write_shard(tmp_path / "a.h5", crops[:4], capacity=3)


def test_unknown_compression(tmp_path):
    with pytest.raises(ShardError, match="lzf, gzip, none"):
        shards.ShardWriter(tmp_path / "a.h5", capacity=1, image_size=8, split="train", compression="zip")


def test_truncated_anywhere(tmp_path, crops):
    path = tmp_path / "a.h5"
    write_shard(path, crops[:4])
    whole = path.read_bytes()
    for length in np.linspace(0, len(whole) - 1, 25).astype(int):
        path.write_bytes(whole[:length])
        with pytest.raises(ShardError, match=r"a\.h5 is not a whole HDF5 file"):
            shards.open_shard(path)


def test_damaged_chunk_is_noticed(tmp_path, crops):
    path = tmp_path / "a.h5"
    write_shard(path, crops[:4])
    with h5py.File(path) as file:
        place = file["ab"].id.get_chunk_info(2).byte_offset
    content = bytearray(path.read_bytes())
    content[place + 100] ^= 0xFF
    path.write_bytes(content)
    with (
        shards.open_shard(path) as shard,
        pytest.raises(ShardError, match=r"a\.h5 is damaged: 'ab' of image 2 \(2\.png\)"),
    ):
        shard.read("ab", 2)


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda file: file.attrs.__setitem__("format", "other"), "not written by densecolor"),
        (lambda file: file.attrs.__delitem__("format"), "not written by densecolor"),
        (lambda file: file.attrs.__setitem__("format_version", 2), "Upgrade densecolor"),
        (lambda file: file.attrs.__delitem__("image_size"), "damaged or foreign"),
        (lambda file: file.attrs.__setitem__("image_size", 16), "'L' is uint8"),
        (lambda file: file.__delitem__("ab"), "'ab' is not a dataset"),
        (lambda file: file["label"].__setitem__(0, 0) or file.move("label", "labels"), "'label' is not a dataset"),
    ],
)
def test_foreign_and_newer_files(tmp_path, crops, edit, message):
    path = tmp_path / "a.h5"
    write_shard(path, crops[:2])
    change(path, edit)
    with pytest.raises(ShardError, match=message) as error:
        shards.open_shard(path)
    assert str(path) in str(error.value)


def test_links_out_of_the_file_are_refused(tmp_path, crops):
    write_shard(tmp_path / "a.h5", crops[:2])
    write_shard(tmp_path / "b.h5", crops[:2])
    for link in (h5py.ExternalLink(tmp_path / "a.h5", "/ab"), h5py.SoftLink("/L")):

        def relink(file, link=link):
            del file["ab"]
            file["ab"] = link

        change(tmp_path / "b.h5", relink)
        with pytest.raises(ShardError, match="'ab' is not a dataset of its own"):
            shards.open_shard(tmp_path / "b.h5")


def test_text_file_and_missing_file(tmp_path):
    (tmp_path / "a.h5").write_text("no shard")
    with pytest.raises(ShardError, match="not a whole HDF5 file"):
        shards.open_shard(tmp_path / "a.h5")
    with pytest.raises(FileNotFoundError, match=r"b\.h5"):
        shards.open_shard(tmp_path / "b.h5")


def test_packed_split_finds_every_image(packed, crops):
    split = shards.open_dataset(packed)
    assert (split.count, split.counts, split.image_size) == (21, [8, 8, 5], 32)
    keys = []
    for index in range(split.count):
        number, place = split.locate(index)
        keys.append(split.shard(number).keys[place])
    assert keys == [f"train/{i}.png" for i in range(21)]


def test_open_shards_are_bounded(tmp_path, crops, monkeypatch):
    monkeypatch.setattr("densecolor.shards.packed.MAX_OPEN_SHARDS", 2)
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))}, shard_size=5)
    split = shards.open_dataset(folder)
    first = split.shard(0)
    for number in range(6):
        assert split.shard(number).count == 5
    assert len(split._open) == 2
    assert first.L[0].shape == (32, 32)  # still usable by who holds it


def test_describe_and_verify(packed, tmp_path, crops):
    assert "30 images of 32 x 32, 3 classes, 5 shards" in shards.describe(packed)
    assert "validation: 9 images" in shards.describe(packed)
    assert "8 images" in shards.describe(packed / "train-00000-of-00003.h5")
    assert shards.verify(packed) == []
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))})
    names = sorted(path.name for path in folder.glob("*.h5"))
    content = bytearray((folder / names[0]).read_bytes())
    content[-1] ^= 1
    (folder / names[0]).write_bytes(content)
    (folder / names[1]).unlink()
    (folder / names[2]).write_bytes(b"short")
    problems = shards.verify(folder)
    assert [name in problem for name, problem in zip(names, problems, strict=False)] == [True] * 3
    assert "SHA-256" in problems[0]
    assert "missing" in problems[1]


def test_missing_split_names_those_that_exist(packed):
    with pytest.raises(ShardError, match=r"no split 'test'.*train \(21\), validation \(9\)"):
        shards.open_dataset(packed, "test")


def test_missing_and_shortened_shards(tmp_path, crops):
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))})
    first = sorted(folder.glob("*.h5"))[0]
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    with pytest.raises(ShardError, match=f"{first.name} is damaged"):
        shards.open_dataset(folder)
    first.unlink()
    with pytest.raises(ShardError, match=f"{first.name} is missing"):
        shards.open_dataset(folder)


def test_unfinished_and_foreign_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="densecolor-pack"):
        shards.open_dataset(tmp_path / "none")
    with pytest.raises(ShardError, match="packing did not finish"):
        shards.open_dataset(tmp_path)
    for text, message in [
        ("{", "damaged"),
        ("[]", "damaged"),
        ('{"format": "x"}', "not written by"),
        ('{"format": "densecolor-lab", "format_version": 9}', "Upgrade"),
        ('{"format": "densecolor-lab", "format_version": 1}', "damaged"),
    ]:
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ShardError, match=message):
            shards.read_manifest(tmp_path)


FULL_DISK = """
import resource, sys
import numpy as np
from densecolor.errors import ShardError
from densecolor.shards import ShardWriter, encode_block

path, compression, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
noise = np.random.default_rng(0).integers(0, 100, (16, 64, 64, 3), np.uint8)
block = encode_block(map(str, range(16)), [-1] * 16, [(1, 1)] * 16, noise[..., 0], noise[..., 1:].astype(np.int8),
                     compression=compression)
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with ShardWriter(path, capacity=20, image_size=64, split="train", compression=compression) as writer:
        writer.append(block)
except ShardError as error:
    print(error)
"""


@pytest.mark.parametrize("compression", ["lzf", "none"])
@pytest.mark.parametrize("limit", [0, 3000, 100_000, 197_000])  # fails as it begins, in its middle, as it closes
def test_full_disk_is_one_error_and_leaves_nothing(tmp_path, compression, limit):
    command = [sys.executable, "-c", FULL_DISK, str(tmp_path / "a.h5"), compression, str(limit)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert re.fullmatch(r".*a\.h5.* cannot be written: File too large\. Is the disk full\?\n", result.stdout)
    assert (result.returncode, result.stderr) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_when_trimming_is_interrupted(tmp_path, crops):
    class Interrupted(shards.ShardWriter):
        def _create(self, path, capacity):
            file = super()._create(path, capacity)
            if capacity == 4:
                raise KeyboardInterrupt
            return file

    def write():
        with Interrupted(tmp_path / "a.h5", capacity=9, image_size=32, split="train", compression="none") as writer:
            writer.append(encode(crops[:4], "none"))

    with pytest.raises(KeyboardInterrupt):
        write()
    assert list(tmp_path.iterdir()) == []


def test_single_shard_is_no_folder_and_names_its_split(tmp_path, crops):
    write_shard(tmp_path / "a.h5", crops[:2])
    with pytest.raises(ShardError, match=r"a\.h5 is a file, not a packed folder"):
        shards.read_manifest(tmp_path / "a.h5")
    with pytest.raises(ShardError, match=r"none of 'test'\. Ask for split 'train'"):
        shards.open_dataset(tmp_path / "a.h5", "test")
