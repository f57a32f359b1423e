"""Packings that are interrupted, and go on as if nothing had happened."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys

import cv2
import h5py
import numpy as np
import pytest

from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.errors import SourceError
from densecolor.packing import pack
from densecolor.shards import open_shard
from densecolor.shards import verify

OPTIONS = {"image_size": 64, "shard_size": 8, "validation_fraction": 0.2}


@pytest.fixture(scope="module")
def source(tmp_path_factory, crops):
    """A folder of 120 pictures, six of them broken."""
    folder = tmp_path_factory.mktemp("source")
    for i in range(120):
        pixels = np.roll(crops[i % 30], i // 30, axis=-1)
        cv2.imwrite(str(folder / f"{i}.jpg"), pixels)
    for i in range(0, 120, 20):
        (folder / f"{i}.jpg").write_bytes(b"broken")
    return folder


@pytest.fixture(scope="module")
def uninterrupted(source, tmp_path_factory):
    """The files of a packing that nothing has interrupted."""
    return contents(pack(source, tmp_path_factory.mktemp("whole") / "out", workers=1, **OPTIONS).out)


def contents(out):
    """All that a packed folder says, but for the size and hash of its files: LZF leaves some bytes to chance."""
    manifest = json.loads((out / "manifest.json").read_text())
    for shard in manifest["shards"]:
        del shard["bytes"], shard["sha256"]
    del manifest["origin"]
    assert {path.suffix for path in out.iterdir()} == {".h5", ".json", ".csv"}
    shards = {path.name: shard_contents(path) for path in out.glob("*.h5")}
    return manifest, (out / "rejected.csv").read_bytes(), shards


def shard_contents(path):
    with h5py.File(path) as file:
        return dict(file.attrs), {name: (data.dtype, data.shape, data[()].tobytes()) for name, data in file.items()}


class StopAfter:
    """A progress function that raises once so many pictures are done."""

    def __init__(self, limit, error):
        self.limit = limit
        self.error = error

    def __call__(self, done, total):
        if done >= self.limit:
            raise self.error


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
@pytest.mark.parametrize("workers", [1, 3])
def test_going_on_gives_what_an_uninterrupted_run_gives(source, uninterrupted, tmp_path, error, workers):
    out = tmp_path / "out"
    for limit in (1, 30, 70, 110):
        with pytest.raises(error):
            pack(source, out, workers=workers, progress=StopAfter(limit, error), **OPTIONS)
        assert not list(out.rglob("*.partial"))
        assert not list(out.rglob("*.part-*"))
        for path in out.glob("*.h5"):
            assert shard_contents(path) == uninterrupted[2][path.name]
    result = pack(source, out, workers=workers, **OPTIONS)
    assert 0 < result.resumed < 120
    assert contents(out) == uninterrupted
    assert verify(out) == []


def test_a_finished_packing_is_not_done_again(source, uninterrupted, tmp_path):
    first = pack(source, tmp_path / "out", workers=2, **OPTIONS)
    times = {path: path.stat().st_mtime_ns for path in first.out.iterdir()}
    (first.out / "unfinished").mkdir()  # killed after the manifest was written, before this was removed
    again = pack(source, first.out, workers=2, **OPTIONS)
    assert again.resumed == 120
    assert (again.manifest, again.rejected) == (first.manifest, first.rejected)
    assert {path: path.stat().st_mtime_ns for path in first.out.iterdir()} == times


def test_other_options_are_an_error_that_shows_the_difference(source, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(source, out, workers=1, progress=StopAfter(60, KeyboardInterrupt), **OPTIONS)
    before = sorted(path.name for path in out.rglob("*"))
    message = r"unfinished packing with other options \(image_size was 64 and is 32, fit was crop and is pad\)"
    with pytest.raises(DensecolorError, match=message):
        pack(source, out, workers=1, **OPTIONS | {"image_size": 32, "fit": "pad"})
    assert sorted(path.name for path in out.rglob("*")) == before


def test_another_source_is_an_error(source, tmp_path, crops):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(source, out, workers=1, progress=StopAfter(60, KeyboardInterrupt), **OPTIONS)
    other = tmp_path / "other"
    other.mkdir()
    cv2.imwrite(str(other / "a.png"), crops[0])
    with pytest.raises(DensecolorError, match="images was 120 and is 1, listing was"):
        pack(other, out, workers=1, **OPTIONS)


def test_a_shard_that_was_lost_is_made_again(source, uninterrupted, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(source, out, workers=1, progress=StopAfter(100, KeyboardInterrupt), **OPTIONS)
    lost, cut, *rest = sorted(out.glob("*.h5"))
    assert rest
    lost.unlink()
    os.truncate(cut, 1000)
    pack(source, out, workers=1, **OPTIONS)
    assert contents(out) == uninterrupted


SCRIPT = """
import sys
from densecolor.packing import pack

if __name__ == "__main__":
    pack(sys.argv[1], sys.argv[2], workers=2, image_size=64, shard_size=8, validation_fraction=0.2)
"""


def test_killed_again_and_again(source, uninterrupted, tmp_path):
    """Every run is killed a little later than the one before, until one ends by itself."""
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(SCRIPT)
    kills, delay = 0, 0.1
    while True:
        process = subprocess.Popen([sys.executable, script, source, out])
        try:
            assert process.wait(delay) == 0
            break
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            kills, delay = kills + 1, delay + 0.15
    assert kills > 2
    assert contents(out) == uninterrupted


def test_two_processes_at_once(source, tmp_path):
    out = tmp_path / "out"

    def pack_meanwhile(done, total):
        with pytest.raises(DensecolorError, match=r"Another process is packing into .*out"):
            pack(source, out, workers=1, **OPTIONS)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pack(source, out, workers=1, progress=pack_meanwhile, **OPTIONS)


FULL_DISK = """
import resource, sys
from densecolor.errors import DensecolorError
from densecolor.packing import pack

resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    pack(sys.argv[1], sys.argv[2], workers=1, image_size=64, shard_size=8, validation_fraction=0.2)
except DensecolorError as error:
    print(error)
"""


def test_a_full_disk_is_one_error_and_the_run_goes_on_later(source, uninterrupted, tmp_path):
    out = tmp_path / "out"
    result = subprocess.run([sys.executable, "-c", FULL_DISK, source, out], capture_output=True, text=True, check=True)
    assert re.fullmatch(r".* cannot be written: File too large\. Is the disk full\?\n", result.stdout)
    assert not list(out.rglob("*.partial"))
    pack(source, out, workers=1, **OPTIONS)
    assert contents(out) == uninterrupted


def test_a_source_that_vanishes_stops_the_run_and_loses_nothing(source, uninterrupted, tmp_path):
    mount, out = tmp_path / "mount", tmp_path / "out"
    os.rename(source, mount)

    def vanish(done, total):
        if done >= 60 and mount.exists():
            os.rename(mount, source)

    with pytest.raises(SourceError, match=r"source has vanished .* give the same command again"):
        pack(mount, out, workers=1, progress=vanish, **OPTIONS)
    with pytest.raises(DensecolorError, match="the source or its masks lay elsewhere"):
        pack(source, out, workers=1, **OPTIONS)
    os.rename(source, mount)
    pack(mount, out, workers=1, **OPTIONS)
    os.rename(mount, source)
    assert contents(out) == uninterrupted


def test_few_shards_are_divided_so_that_all_workers_have_work(source, tmp_path):
    parts = set()

    def look(done, total):
        parts.update(path.name for path in (tmp_path / "out/unfinished").glob("*.part-*"))

    result = pack(source, tmp_path / "out", image_size=32, workers=2, validation_fraction=0, progress=look)
    assert len(parts) > 1
    assert [shard.count for shard in result.manifest.shards] == [114]
    with open_shard(result.out / result.manifest.shards[0].name) as shard:
        assert len(set(shard.keys)) == 114


def test_a_folder_inside_the_source_that_vanishes_stops_the_run(source, tmp_path):
    """As a link to a network folder does."""
    folder, out = tmp_path / "linked", tmp_path / "out"
    folder.mkdir()
    os.symlink(source, folder / "nas")
    (folder / "beside.jpg").write_bytes((source / "1.jpg").read_bytes())

    def vanish(done, total):
        if done >= 60 and (folder / "nas").exists():
            (folder / "nas").unlink()

    with pytest.raises(SourceError, match="source has vanished"):
        pack(folder, out, workers=1, progress=vanish, **OPTIONS)
    os.symlink(source, folder / "nas")
    result = pack(folder, out, workers=1, **OPTIONS)
    assert result.resumed > 0
    assert result.rejected == {"not a picture of a known format": 6}


@pytest.mark.parametrize("stop_after", [60, 1000])
def test_other_masks_are_another_packing(source, tmp_path, stop_after):
    for name, value in (("black", 0), ("white", 255)):
        (tmp_path / name).mkdir()
        for path in source.iterdir():
            cv2.imwrite(str(tmp_path / name / f"{path.stem}.png"), np.full((32, 32), value, np.uint8))
    options = {"workers": 1, **OPTIONS, "image_size": 16}
    out, stop = tmp_path / "out", StopAfter(stop_after, KeyboardInterrupt)
    with contextlib.suppress(KeyboardInterrupt):
        pack(source, out, masks=str(tmp_path / "black"), progress=stop, **options)
    with pytest.raises(DensecolorError, match="the source or its masks lay elsewhere"):
        pack(source, out, masks=str(tmp_path / "white"), **options)


def test_a_finished_packing_that_has_lost_a_shard_is_not_called_finished(source, tmp_path):
    result = pack(source, tmp_path / "out", workers=1, **OPTIONS)
    next(result.out.glob("*.h5")).unlink()
    with pytest.raises(ShardError, match=r"was packed, but .*\.h5 is missing or damaged since"):
        pack(source, tmp_path / "out", workers=1, **OPTIONS)


@pytest.mark.parametrize("pattern", ["", "*.jpg", "**/*.jpg"])
def test_out_inside_the_source_is_refused(source, pattern):
    with pytest.raises(DensecolorError, match="lies inside the source"):
        pack(source / pattern, source / "out", workers=1, **OPTIONS)
    assert not (source / "out").exists()


def test_a_damaged_journal_is_no_obstacle(source, uninterrupted, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack(source, out, workers=1, progress=StopAfter(60, KeyboardInterrupt), **OPTIONS)
    lines = sorted((out / "unfinished").glob("*.h5.json"))
    lines[0].write_text("")
    lines[1].write_text("{}")
    pack(source, out, workers=1, **OPTIONS)
    assert contents(out) == uninterrupted
