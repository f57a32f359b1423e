import csv
import json
import subprocess
import sys

import h5py
import numpy as np
import pytest
from conftest import write_packed

from densecolor import shards
from densecolor.dataset import iterate
from densecolor.errors import ShardError


def rename_keys(folder, prefix):
    """Give all pictures of a packed folder other keys."""
    manifest = shards.read_manifest(folder)
    for info in manifest.shards:
        with h5py.File(folder / info.name, "r+") as file:
            keys = [f"{prefix}/{key.decode()}" for key in file["key"][:]]
            del file["key"]
            file.create_dataset("key", data=np.array(keys, h5py.string_dtype("utf-8", 40)))
    return sign_again(folder)


def sign_again(folder, **changes):
    """Write the manifest anew after an edit of its shards."""
    manifest = shards.read_manifest(folder)
    infos = [shards.ShardInfo.of(folder / info.name, info.split, info.count) for info in manifest.shards]
    facts = {"options": manifest.options, "rejected": manifest.rejected} | changes
    shards.write_manifest(folder, shards.Manifest(manifest.image_size, manifest.class_names, shards=infos, **facts))
    return folder


@pytest.fixture
def pets(tmp_path, crops):
    """Ten training and three validation pictures, lzf; one is unlabelled, two were rejected."""
    labels = np.array([0, 1, 2, 0, 1, 2, 0, -1, 2, 0])
    splits = {"train": (crops[:10], labels), "validation": (crops[10:13], labels[:3])}
    folder = write_packed(tmp_path / "pets", splits, ["dog", "cat", "bird"])
    shards.write_rejected_rows(folder, [("a\n.jpg", "train", "the file is empty"), ("b.jpg", "", "grayscale")])
    return sign_again(folder, options={"fit": "crop"}, rejected=2)


@pytest.fixture
def zoo(tmp_path, crops):
    """Nine training pictures, contiguous; classes overlap with those of `pets`."""
    folder = write_packed(tmp_path / "zoo", {"train": (crops[13:22], np.arange(9) % 3)}, ["ape", "bird", "dog"], "none")
    sign_again(folder, options={"fit": "pad"})
    return rename_keys(folder, "zoo")


def contents(folder, split):
    """Key, name of the class, pixels and size of every picture."""
    names = shards.read_manifest(folder).class_names
    for record in iterate(folder, split):
        name = names[record.label] if record.label >= 0 else None
        yield record.key, name, record.L.tobytes(), record.ab.tobytes(), record.original_size


def test_pictures_and_classes_are_those_of_the_folders(pets, zoo, tmp_path):
    out = tmp_path / "out"
    calls = []
    manifest = shards.merge([pets, zoo], out, progress=lambda *call: calls.append(call))
    assert manifest == shards.read_manifest(out)
    assert manifest.class_names == ["dog", "cat", "bird", "ape"]  # the first folder's labels stay
    assert [info.name for info in manifest.shards] == [
        *(f"train-0000{i}-of-00004.h5" for i in range(4)),
        "validation-00000-of-00001.h5",
    ]
    assert list(contents(out, "train")) == [*contents(pets, "train"), *contents(zoo, "train")]
    assert list(contents(out, "validation")) == list(contents(pets, "validation"))
    assert [record.label for record in iterate(out)][10:] == [3, 2, 0] * 3
    assert manifest.options == {"merged": [{"fit": "crop"}, {"fit": "pad"}]}
    assert calls == [(8, 22), (10, 22), (18, 22), (19, 22), (22, 22)]
    assert shards.verify(out) == []
    names = [*(info.name for info in manifest.shards), "manifest.json", "rejected.csv"]
    assert sorted(path.name for path in out.iterdir()) == sorted(names)


def test_rejected_inputs_of_all_folders_are_listed(pets, zoo, tmp_path):
    shards.write_rejected_rows(zoo, [("c.jpg", "train", "truncated")])
    sign_again(zoo, rejected=1)
    manifest = shards.merge([zoo, pets], tmp_path / "out")
    with open(tmp_path / "out/rejected.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert manifest.rejected == 3
    assert [(row["key"], row["reason"]) for row in rows] == [
        ("c.jpg", "truncated"),
        ("a\n.jpg", "the file is empty"),
        ("b.jpg", "grayscale"),
    ]


def test_only_labels_and_class_names_are_written_anew(pets, zoo, tmp_path):
    shards.merge([pets, zoo], tmp_path / "out")
    before, after = zoo / "train-00000-of-00002.h5", tmp_path / "out/train-00002-of-00004.h5"
    with h5py.File(before) as old, h5py.File(after) as new:
        assert new["L"].chunks is None
        assert [new[name].id.get_offset() for name in ("L", "ab")] == [
            old[name].id.get_offset() for name in ("L", "ab")
        ]
        assert json.loads(new.attrs["class_names"]) == ["dog", "cat", "bird", "ape"]
        assert {**new.attrs, "class_names": None} == {**old.attrs, "class_names": None}
        assert list(new) == list(old)
    with h5py.File(pets / "train-00000-of-00002.h5") as old, h5py.File(tmp_path / "out/train-00000-of-00004.h5") as new:
        for name in ("L", "ab"):
            chunks = [file[name].id.read_direct_chunk((5, 0, 0, 0)[: file[name].ndim]) for file in (old, new)]
            assert chunks[0] == chunks[1]
        assert new["label"].fletcher32


def test_equal_classes_leave_the_bytes_alone(pets, tmp_path, crops):
    more = write_packed(tmp_path / "more", {"test": (crops[:4], np.zeros(4, int))}, ["dog", "cat", "bird"], "gzip")
    manifest = shards.merge([pets, more], tmp_path / "out")
    before = shards.read_manifest(pets).shards + shards.read_manifest(more).shards
    assert [info.sha256 for info in manifest.shards] == [info.sha256 for info in before]


def test_the_same_merge_gives_the_same_bytes_and_room_is_given_back(pets, zoo, tmp_path):
    first, second = (shards.merge([pets, zoo], tmp_path / name) for name in ("a", "b"))
    assert first.shards == second.shards
    assert max(info.bytes for info in first.shards) < 60_000  # eight pictures of 3072 bytes


def test_merging_again_keeps_all_options(pets, zoo, tmp_path, crops):
    more = rename_keys(write_packed(tmp_path / "more", {"train": (crops[:2], [-1, -1])}), "more")
    shards.merge([pets, zoo], tmp_path / "one")
    manifest = shards.merge([more, tmp_path / "one"], tmp_path / "two")
    assert manifest.options == {"merged": [{}, {"fit": "crop"}, {"fit": "pad"}]}
    assert manifest.class_names == ["dog", "cat", "bird", "ape"]
    assert [record.label for record in iterate(tmp_path / "two")][:5] == [-1, -1, 0, 1, 2]


def test_masks_come_along(tmp_path, crops):
    splits = {"train": (crops[:9], np.zeros(9, int))}
    one = write_packed(tmp_path / "one", splits, ["a"], with_mask=True)
    two = rename_keys(write_packed(tmp_path / "two", splits, ["b"], with_mask=True), "two")
    shards.merge([one, two], tmp_path / "out")
    records = list(iterate(tmp_path / "out"))
    assert len(records) == 18
    assert all(np.array_equal(record.mask, record.L) for record in records)


def without_manifest(pets, zoo):
    (zoo / "manifest.json").unlink()


def other_keys_missing(pets, zoo):
    rename_keys(pets, "same")
    for folder in (pets, zoo):
        with h5py.File(folder / "train-00000-of-00002.h5", "r+") as file:
            file["key"][0] = b"same.jpg"
        sign_again(folder)


def flip_a_byte(pets, zoo):
    path = zoo / "train-00001-of-00002.h5"
    with h5py.File(path) as file:
        place = file["ab"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def label_out_of_range(pets, zoo):
    with h5py.File(zoo / "train-00000-of-00002.h5", "r+") as file:
        file["label"][2] = 3
    sign_again(zoo)


def swap_shards(pets, zoo):
    (zoo / "train-00001-of-00002.h5").write_bytes((pets / "validation-00000-of-00001.h5").read_bytes())


def shorten_rejected(pets, zoo):
    (pets / "rejected.csv").write_text("key,split,reason\n")


def repeat_class(pets, zoo):
    path = zoo / "manifest.json"
    path.write_text(path.read_text().replace('"ape"', '"dog"'))


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (without_manifest, r"zoo has no manifest\.json.* did not finish"),
        (other_keys_missing, r"The picture 'same\.jpg' is in .*pets and in .*zoo"),
        (flip_a_byte, r"zoo.train-00001-of-00002\.h5 is damaged: its SHA-256"),
        (label_out_of_range, r"zoo.train-00000-of-00002\.h5 has labels of classes that it does not name"),
        (swap_shards, r"zoo.train-00001-of-00002\.h5 is not the shard that the manifest lists"),
        (shorten_rejected, r"rejected\.csv lists 0 inputs; the manifest says 2"),
        (repeat_class, r"zoo has 2 classes 'dog'"),
    ],
)
def test_damaged_and_unfit_folders_leave_nothing(pets, zoo, tmp_path, edit, message):
    edit(pets, zoo)
    with pytest.raises(ShardError, match=message):
        shards.merge([pets, zoo], tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_sizes_and_masks_must_agree(pets, tmp_path, crops):
    small = write_packed(tmp_path / "small", {"train": (crops[:2, :16, :16], [0, 0])}, ["dog"])
    masked = rename_keys(write_packed(tmp_path / "masked", {"train": (crops[:2], [-1, -1])}, with_mask=True), "m")
    with pytest.raises(ShardError, match=r"pets holds pictures of 32 pixels and .*small of 16"):
        shards.merge([pets, small], tmp_path / "out")
    with pytest.raises(ShardError, match=r"masked has masks and .*pets has none"):
        shards.merge([pets, masked], tmp_path / "out")


def test_places_where_nothing_may_be_written(pets, zoo, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full/notes.txt").write_text("mine")
    (tmp_path / "file").write_text("")
    for out, message in [
        (tmp_path / "full", "full is not empty"),
        (tmp_path / "file", "file is a file"),
        (pets / "out", r"out lies inside .*pets"),
        (zoo, r"zoo lies inside .*zoo"),
    ]:
        with pytest.raises(ShardError, match=message):
            shards.merge([pets, zoo], out)
    assert (tmp_path / "full/notes.txt").read_text() == "mine"
    assert not (pets / "out").exists()
    with pytest.raises(ShardError, match="at least two"):
        shards.merge([pets], tmp_path / "out")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        shards.merge([pets, tmp_path / "nowhere"], tmp_path / "out")


def test_an_empty_folder_is_filled_and_kept_when_merging_is_interrupted(pets, zoo, tmp_path):
    out = tmp_path / "out"
    out.mkdir()

    def interrupt(done, total):
        if done == 18:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        shards.merge([pets, zoo], out, progress=interrupt)
    assert list(out.iterdir()) == []
    assert shards.merge([pets, zoo], out).count() == 22


RUN = """
import os, resource, signal, sys
from densecolor.errors import ShardError
from densecolor.shards import merge

action, *folders, out = sys.argv[1:]
if action != "kill":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(action), int(action)))
try:
    merge(folders, out, lambda done, total: done >= 18 and os.kill(os.getpid(), signal.SIGKILL))
except ShardError as error:
    print(error)
"""


def run(*arguments):
    command = [sys.executable, "-c", RUN, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_killed_merge_is_unfinished_and_done_again(pets, zoo, tmp_path):
    out = tmp_path / "out"
    assert run("kill", pets, zoo, out).returncode == -9
    assert len(list(out.glob("*.h5"))) == 3
    with pytest.raises(ShardError, match="did not finish"):
        shards.open_dataset(out)
    again = shards.merge([pets, zoo], out)
    fresh = shards.merge([pets, zoo], tmp_path / "fresh")
    assert again == fresh
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in (tmp_path / "fresh").iterdir())


@pytest.mark.parametrize("limit", [0, 10_000, 40_000])  # while copying; before labels are written
def test_full_disk_is_one_error_and_leaves_nothing(pets, zoo, tmp_path, limit):
    sizes = [info.bytes for info in shards.read_manifest(pets).shards]
    assert 10_000 < max(sizes) < 40_000
    result = run(limit, pets, zoo, tmp_path / "out")
    assert "File too large" in result.stdout
    assert result.stdout.count("\n") == 1
    assert (result.returncode, result.stderr) == (0, "")
    assert not (tmp_path / "out").exists()
