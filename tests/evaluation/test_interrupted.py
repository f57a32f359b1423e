"""Evaluations that are killed, shared between workers, or meet a full disk."""

import contextlib
import csv
import json
import signal
import subprocess
import sys

import cv2
import h5py
import keras
import numpy as np
import pytest
from conftest import write_packed

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.errors import DensecolorError
from densecolor.errors import ShardError
from densecolor.evaluation import evaluate
from densecolor.evaluation import evaluate_folders
from densecolor.evaluation.parts import Part
from densecolor.shards import open_dataset

PICTURES = 600  # three parts
RESULTS = ("metrics.json", "per_image.csv", "table.csv")
# Evaluates folders; is killed when so many pictures are done; files may not grow beyond a limit.
SCRIPT = """
import json, os, resource, signal, sys
from densecolor.evaluation import evaluate_folders
root, report, kill_at, limit = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
if limit:
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
told = []
def progress(done, total):
    told.append(done)
    if kill_at and done >= kill_at:
        os.kill(os.getpid(), signal.SIGKILL)
evaluate_folders(root + "/out", root + "/truth", report=report, measures="default,ab_auc_rebalanced",
                 against="grayscale", progress=progress)
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory, crops):
    """Many small pictures and the same faded."""
    root = tmp_path_factory.mktemp("many")
    for folder, share in (("truth", 1), ("out", 0.5)):
        (root / folder).mkdir()
        for i in range(PICTURES):
            crop = np.roll(crops[i % 30], i, axis=1)[:9, :9]
            gray = crop.mean(axis=-1, keepdims=True)
            faded = np.rint(gray + share * (crop - gray)).astype(np.uint8)
            cv2.imwrite(str(root / folder / f"{i:04d}.png"), faded)
    return root


@pytest.fixture(scope="module")
def whole(root, tmp_path_factory):
    """The folder of a report that nothing interrupted."""
    folder = tmp_path_factory.mktemp("reports") / "whole"
    measure(root, folder)
    return folder


def run(root, report, kill_at=0, limit=0):
    command = [sys.executable, "-c", SCRIPT, str(root), str(report), str(kill_at), str(limit)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def measure(root, report, stop_at=0):
    """The same evaluation in this process; an exception ends it when so many pictures are done.

    Returns:
        the number of pictures that were there at the start, or done after the first batch.
    """
    told = []

    def progress(done, total):
        told.append(done)
        if stop_at and done >= stop_at:
            raise KeyboardInterrupt

    options = {"measures": "default,ab_auc_rebalanced", "against": "grayscale", "progress": progress}
    with pytest.raises(KeyboardInterrupt) if stop_at else contextlib.nullcontext():
        evaluate_folders(root / "out", root / "truth", report=report, **options)
    return told[0]


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def assert_same(report, whole):
    for name in RESULTS:
        assert (report / name).read_bytes() == (whole / name).read_bytes(), name


def test_killed_and_interrupted_and_started_again_it_gives_the_same_numbers(root, whole, tmp_path):
    report = tmp_path / "report"
    assert run(root, report, kill_at=int(np.random.default_rng().integers(1, 600))).returncode == -signal.SIGKILL
    measure(root, report, stop_at=580)
    assert not report.exists() or names_in(report) == []
    assert len(names_in(tmp_path / "report.unfinished")) == 3  # the plan and two parts
    assert measure(root, report) == 512  # what was there already
    assert_same(report, whole)
    assert names_in(tmp_path) == ["report"]


def test_a_damaged_part_is_measured_again(root, whole, tmp_path):
    report = tmp_path / "report"
    measure(root, report, stop_at=580)
    part = tmp_path / "report.unfinished" / "part-00000.npz"
    part.write_bytes(part.read_bytes()[:-500])
    assert measure(root, report) == 256
    assert_same(report, whole)


def test_parts_of_other_options_are_not_used(root, whole, tmp_path):
    report = tmp_path / "report"
    measure(root, report, stop_at=580)
    result = evaluate_folders(root / "out", root / "truth", report=report, measures="mae")
    assert list(result.measures) == ["mae"]
    assert len(result.keys) == PICTURES
    assert names_in(tmp_path) == ["report"]


def test_a_full_disk_keeps_what_is_there_and_goes_on_later(root, whole, tmp_path):
    report = tmp_path / "report"
    evaluate_folders(root / "out", root / "truth", report=report, limit=5)
    before = {name: (report / name).read_bytes() for name in names_in(report)}
    full = run(root, report, limit=200_000)  # enough for parts, not for the report
    assert full.returncode == 1
    assert "File too large" in full.stderr
    assert {name: (report / name).read_bytes() for name in names_in(report)} == before
    assert measure(root, report) == PICTURES  # only the report was missing
    assert_same(report, whole)


def test_shares_make_the_same_report(root, whole, tmp_path):
    options = {"measures": "default,ab_auc_rebalanced", "against": "grayscale", "report": tmp_path / "report"}
    folders = root / "out", root / "truth"
    assert evaluate_folders(*folders, share=(2, 2), **options) is None
    assert evaluate_folders(*folders, share=(2, 2), **options) is None  # repeating does no harm
    told = []
    progress = lambda done, total: told.append((done, total))  # noqa: E731
    assert evaluate_folders(*folders, share=(1, 2), progress=progress, **options) is None
    assert told[-1] == (344, 344)  # the first and the last part
    assert measure(root, tmp_path / "report") == PICTURES
    assert_same(tmp_path / "report", whole)


def test_a_share_of_something_else_is_refused(root, tmp_path):
    folders = root / "out", root / "truth"
    evaluate_folders(*folders, report=tmp_path / "report", share=(2, 3))
    with pytest.raises(DensecolorError, match="parts of another evaluation"):
        evaluate_folders(*folders, report=tmp_path / "report", share=(1, 3), measures="mae")
    with pytest.raises(DensecolorError, match="needs a report folder"):
        evaluate_folders(*folders, share=(1, 3))
    with pytest.raises(DensecolorError, match=r"from 1. Received: \(4, 3\)"):
        evaluate_folders(*folders, report=tmp_path / "other", share=(4, 3))


def test_a_folder_of_other_things_is_not_taken_for_parts(root, tmp_path):
    (tmp_path / "report.unfinished").mkdir()
    (tmp_path / "report.unfinished" / "novel.txt").write_text("mine")
    with pytest.raises(DensecolorError, match="something else than parts"):
        evaluate_folders(root / "out", root / "truth", report=tmp_path / "report")
    assert names_in(tmp_path / "report.unfinished") == ["novel.txt"]


def test_models_go_on_too(packed, tmp_path):
    keras.utils.set_random_seed(0)
    save_model(models.create("unet", filters=(4, 8), working_size=32), tmp_path / "small.keras")
    for name, share in (("shared", (1, 2)), ("shared", (2, 2)), ("shared", None), ("alone", None)):
        evaluate(tmp_path / "small.keras", packed, report=tmp_path / name, share=share, batch_size=4)
    assert_same(tmp_path / "shared", tmp_path / "alone")


def test_sums_over_pixels_are_those_of_all_pictures(root):
    result = evaluate_folders(root / "out", root / "truth", measures="ab_auc,ab_auc_rebalanced")
    assert result.ab_counts.shape == (4, 2, 256)
    assert (result.ab_counts.sum(axis=-1) == PICTURES * 81).all()
    assert result.ab_counts[2, :, 128].tolist() == [PICTURES * 81] * 2  # grayscale


def test_a_part_comes_back_as_it_was_written(tmp_path):
    part = Part(["é", "b"], [1, -1], np.random.default_rng(0).normal(size=(2, 3, 4)), {"x": np.arange(3)}, None, ["d"])
    (tmp_path / "part.npz").write_bytes(part.to_bytes())
    back = Part.read(tmp_path / "part.npz")
    assert (back.keys, back.labels.tolist(), back.digests, back.left_out) == (["é", "b"], [1, -1], ["d"], [])
    assert (back.values == part.values).all()
    assert back.sums["x"].tolist() == [0, 1, 2]
    assert back.features is None
    assert Part.read(tmp_path / "missing.npz") is None


def tinted(lightness):
    return {"ab": np.full((*lightness.shape[:3], 2), 0.1, np.float32)}


def test_damaged_pictures_and_shards_can_be_left_out(tmp_path, crops):
    folder = write_packed(tmp_path / "packed", {"validation": (crops[:20], np.full(20, -1))})
    first, second, _ = open_dataset(folder, "validation").paths
    with h5py.File(first) as file:
        chunk = file["ab"].id.get_chunk_info_by_coord((2, 0, 0, 0))
    with open(first, "r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(bytes(chunk.size))
    second.write_bytes(second.read_bytes()[:-100])
    with pytest.raises(ShardError, match=second.name):
        evaluate(tinted, folder)
    result = evaluate(tinted, folder, report=tmp_path / "report", skip_damaged=True)
    assert len(result.keys) == 11
    document = json.loads((tmp_path / "report" / "metrics.json").read_text())
    (_, shard_reason), (_, picture_reason) = document["left_out"]
    assert second.name in shard_reason
    assert "image 2" in picture_reason
    assert document["data"]["pictures"] == 11
    with open(tmp_path / "report" / "per_image.csv", newline="") as file:
        assert len({row["key"] for row in csv.DictReader(file)}) == 11
