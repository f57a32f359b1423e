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


def append(writer, crops, keys=None):
    keys = keys or [f"{i}.png" for i in range(len(crops))]
    writer.append(keys, range(len(crops)), [(3, 4)] * len(crops), crops[..., 0], crops[..., 1:].astype(np.int8))


def write_shard(path, crops, capacity=None, compression="lzf", keys=None):
    with shards.ShardWriter(
        path, capacity=capacity or len(crops), image_size=32, split="train", compression=compression
    ) as writer:
        for start in range(0, len(crops), 4):
            part = slice(start, start + 4)
            append(writer, crops[part], keys and keys[part])


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
    write_shard(tmp_path / "a.h5", crops, 40)
    write_shard(tmp_path / "b.h5", crops, 40)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize("compression", shards.COMPRESSIONS)
@pytest.mark.parametrize("spare", [0, 5])
def test_a_shard_joined_from_parts_equals_one_written_at_once(tmp_path, crops, compression, spare):
    for name, part in (("a", crops[:7]), ("none", crops[:0]), ("b", crops[7:20])):
        write_shard(
            tmp_path / f"{name}.h5", part, len(part) + spare, compression, [f"{name}{i}" for i in range(len(part))]
        )
    options = {"capacity": 20 + spare, "image_size": 32, "split": "train", "compression": compression}
    with shards.ShardWriter(tmp_path / "joined.h5", **options) as writer:
        for name in ("a", "none", "b"):
            with shards.open_shard(tmp_path / f"{name}.h5") as part:
                writer.append_shard(part)
    with shards.open_shard(tmp_path / "joined.h5") as joined:
        assert joined.keys == [f"a{i}" for i in range(7)] + [f"b{i}" for i in range(13)]
        np.testing.assert_array_equal(joined.L[:], crops[:20, ..., 0])
        np.testing.assert_array_equal(joined.ab[:], crops[:20, ..., 1:].astype(np.int8))
        assert joined.labels.tolist() == [*range(4), *range(3), *(i % 4 for i in range(13))]
        assert joined.original_sizes.tolist() == [[3, 4]] * 20


def test_a_contiguous_shard_gives_back_the_room_of_rejected_pictures(tmp_path, crops):
    write_shard(tmp_path / "full.h5", crops[:20], 20, "none")
    write_shard(tmp_path / "spare.h5", crops[:20], 30, "none")
    image_bytes = 32 * 32 * 3
    assert (tmp_path / "full.h5").stat().st_size < 20 * image_bytes + 10_000
    assert (tmp_path / "spare.h5").stat().st_size < 24 * image_bytes + 10_000  # only the room after L is lost


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
            append(writer, crops[:4])
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


def test_open_shards_are_bounded(tmp_path, crops):
    folder = write_packed(tmp_path / "p", {"train": (crops, np.zeros(30, int))}, shard_size=5)
    split = shards.open_dataset(folder)
    split._shards._limit = 2
    first = split.shard(0)
    for number in range(6):
        assert split.shard(number).count == 5
    assert len(split._shards._open) == 2
    assert first.L[0].shape == (32, 32)  # still usable by who holds it


def test_describe(packed):
    assert "30 images of 32 x 32, 3 classes, 5 shards" in shards.describe(packed)
    assert "validation: 9 images" in shards.describe(packed)
    assert "8 images" in shards.describe(packed / "train-00000-of-00003.h5")


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
from densecolor.shards import ShardWriter

path, compression, limit = sys.argv[1], sys.argv[2], int(sys.argv[3])
noise = np.random.default_rng(0).integers(0, 100, (16, 64, 64, 3), np.uint8)
keys = list(map(str, range(16)))
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
try:
    with ShardWriter(path, capacity=20, image_size=64, split="train", compression=compression) as writer:
        writer.append(keys, [-1] * 16, [(1, 1)] * 16, noise[..., 0], noise[..., 1:].astype(np.int8))
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


def test_single_shard_is_no_folder_and_names_its_split(tmp_path, crops):
    write_shard(tmp_path / "a.h5", crops[:2])
    with pytest.raises(ShardError, match=r"a\.h5 is a file, not a packed folder"):
        shards.read_manifest(tmp_path / "a.h5")
    with pytest.raises(ShardError, match=r"none of 'test'\. Ask for split 'train'"):
        shards.open_dataset(tmp_path / "a.h5", "test")
