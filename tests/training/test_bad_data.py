"""Data that is damaged, incomplete or not what its manifest says, met by training."""

import json
import shutil

import h5py
import numpy as np
import pytest
from conftest import write_packed

from densecolor.checkpoint import load_model
from densecolor.errors import ShardError
from densecolor.training import TrainConfig
from densecolor.training import train

TINY = {"model": "unet", "model_options": {"filters": [4, 8]}, "epochs": 2, "batch_size": 4, "image_size": 16}


@pytest.fixture
def folder(tmp_path, crops):
    """16 training pictures in two shards, 8 for validation in one."""
    splits = {"train": (crops[:16], np.zeros(16, int)), "validation": (crops[16:24], np.zeros(8, int))}
    return write_packed(tmp_path / "data", splits)


def damage(shard, index):
    """Change one byte of the colours of a picture."""
    with h5py.File(shard) as file:
        place = file["ab"].id.get_chunk_info(index).byte_offset
    content = bytearray(shard.read_bytes())
    content[place + 9] ^= 0xFF
    shard.write_bytes(content)


def lines_of(folder, run, resume=False, **options):
    lines = []
    train(TrainConfig(data=folder, **TINY | options), run, resume=resume, report=lines.append)
    return lines


def test_damaged_picture_stops_the_run_and_is_named(folder, tmp_path):
    shard = folder / "train-00001-of-00002.h5"
    damage(shard, 3)
    with pytest.raises(ShardError, match=rf"^{shard} is damaged: 'ab' of image 3 \(train/11\.png\) cannot be read"):
        lines_of(folder, tmp_path / "run")


def test_damaged_pictures_are_skipped_and_named_once(folder, tmp_path):
    damage(folder / "train-00001-of-00002.h5", 3)
    damage(folder / "validation-00000-of-00001.h5", 5)
    lines = lines_of(folder, tmp_path / "run", skip_damaged=True)
    for name in ("train/11.png", "validation/5.png"):  # in two epochs, and in the sample grid
        (named,) = [line for line in lines if f"({name}) cannot be read" in line]
        assert "goes on without it" in named
    assert "16 pictures, 4 steps an epoch" in " ".join(lines)
    assert all(np.isfinite(weights).all() for weights in load_model(tmp_path / "run").get_weights())


def test_a_stopped_run_may_go_on_without_what_is_damaged(folder, tmp_path):
    damage(folder / "train-00001-of-00002.h5", 3)
    with pytest.raises(ShardError, match="cannot be read"):
        lines_of(folder, tmp_path / "run", save_every=1)
    lines_of(folder, tmp_path / "run", resume=True, skip_damaged=True)
    assert (tmp_path / "run/final.keras").exists()


@pytest.mark.parametrize("kind", ["missing", "cut", "foreign"])
def test_shards_that_do_not_open_are_skipped(folder, tmp_path, kind):
    shard = folder / "train-00000-of-00002.h5"
    size = shard.stat().st_size
    if kind == "missing":
        shard.unlink()
    else:
        shard.write_bytes(shard.read_bytes()[:1000] if kind == "cut" else bytes(size))
    with pytest.raises(ShardError, match=shard.name):
        lines_of(folder, tmp_path / "stopped")
    lines = lines_of(folder, tmp_path / "run", skip_damaged=True)
    (named,) = [line for line in lines if shard.name in line]
    assert "It is left out, with its 8 pictures." in named
    assert "8 pictures, 2 steps an epoch" in " ".join(lines)


def test_nothing_is_left(folder, tmp_path):
    for shard in folder.glob("train-*.h5"):
        shard.unlink()
    with pytest.raises(ShardError, match=r"is missing, though the manifest lists it\. Copy it back, or pack again"):
        lines_of(folder, tmp_path / "run")
    with pytest.raises(ShardError, match=r"No shard of split 'train' of .* can be read"):
        lines_of(folder, tmp_path / "run", skip_damaged=True)
    assert not (tmp_path / "run").exists()


def test_no_manifest(folder, tmp_path):
    (folder / "manifest.json").unlink()
    with pytest.raises(ShardError, match=r"has no manifest\.json: .*not packed.*densecolor-pack"):
        lines_of(folder, tmp_path / "run")


def test_manifest_and_shard_disagree(folder, tmp_path, crops):
    """A shard of another packing, of another size and number of pictures, under the name and size of the right one."""
    other = write_packed(tmp_path / "other", {"train": (crops[:6, :24, :24], np.zeros(6, int))})
    shard = folder / "train-00001-of-00002.h5"
    shutil.copy(other / "train-00000-of-00001.h5", shard)
    with pytest.raises(ShardError, match=rf"{shard.name} is damaged: it has \d+ bytes, the manifest says \d+"):
        lines_of(folder, tmp_path / "run")
    manifest = json.loads((folder / "manifest.json").read_text())
    next(info for info in manifest["shards"] if info["name"] == shard.name)["bytes"] = shard.stat().st_size
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(ShardError, match=rf"{shard.name} holds 6 images of side 24; the manifest says 8 of 32"):
        lines_of(folder, tmp_path / "run")


def test_no_train_split(tmp_path, crops):
    folder = write_packed(tmp_path / "data", {"validation": (crops[:8], np.zeros(8, int))})
    with pytest.raises(ShardError, match=r"has no split 'train'\. It has validation \(8\)"):
        lines_of(folder, tmp_path / "run")
