"""Runs over folders that are interrupted, and go on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from densecolor import models
from densecolor.checkpoint import save_model
from densecolor.errors import DensecolorError
from densecolor.errors import ImageError
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.image_io.write import _unfinished_prefix
from densecolor.inference import colorize_files
from densecolor.inference.record import RECORD_NAME

GRAY = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (30, 1))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(1)
    return models.create("unet", filters=(2, 2), working_size=16)


@pytest.fixture
def scans(tmp_path, monkeypatch):
    """Twelve pictures in scans, of which one is broken; the current folder is around it."""
    monkeypatch.chdir(tmp_path)
    for number in range(12):
        write_image(f"scans/{number % 3}/{number:02d}.png", GRAY + np.uint8(number))
    Path("scans/1/04.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return Path("scans")


def contents(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in Path(folder).rglob("[!.]*.png")}


def leftovers(folder):
    return [path.name for path in Path(folder).rglob("*") if path.is_file() and path.suffix not in (".png", ".jsonl")]


def done_before(results):
    return sorted(result.source.name for result in results if result.skipped)


class StopAfter:
    """A progress function that interrupts once so many pictures are done."""

    def __init__(self, limit):
        self.limit = limit

    def __call__(self, done, total):
        if done == self.limit:
            raise KeyboardInterrupt


@pytest.mark.parametrize("threads", [1, 3])
def test_going_on_gives_what_an_uninterrupted_run_gives(scans, model, threads):
    whole = colorize_files("scans", "whole", model)
    finished = 0
    for _ in range(2):
        limit = finished + 2
        with pytest.raises(KeyboardInterrupt):
            colorize_files("scans", "colour", model, resume=True, threads=threads, progress=StopAfter(limit))
        assert finished < len(contents("colour")) <= limit + threads
        finished = len(contents("colour"))
        assert not leftovers("colour")
    steps = []
    results = colorize_files("scans", "colour", model, resume=True, progress=lambda *step: steps.append(step))
    assert len(done_before(results)) == finished
    assert steps[-1] == (12, 12)
    assert [(result.source, bool(result.error)) for result in results] == [
        (result.source, bool(result.error)) for result in whole
    ]
    assert contents("colour") == contents("whole")
    again = colorize_files("scans", "colour", model, resume=True)
    assert len(done_before(again)) == 11
    assert [result.source.name for result in again if result.error] == ["04.png"]


def test_a_new_model_other_settings_and_changed_inputs_are_done_again(scans, model):
    colorize_files("scans", "colour", model)
    keras.utils.set_random_seed(2)
    other = models.create("unet", filters=(2, 2), working_size=16)
    for options in ({"model": other}, {"model": model, "working_size": 8}):
        with pytest.raises(ImageError, match=r"and 10 more would be overwritten.*--overwrite"):
            colorize_files("scans", "colour", resume=True, **options)
    assert done_before(colorize_files("scans", "colour", other, resume=True, overwrite=True)) == []
    assert len(done_before(colorize_files("scans", "colour", other, resume=True, overwrite=True))) == 11

    write_image("scans/0/00.png", 255 - GRAY, overwrite=True)
    with pytest.raises(ImageError, match=r"colour/0/00\.png would be overwritten"):
        colorize_files("scans", "colour", other, resume=True)
    Path("colour/1/01.png").unlink()
    results = colorize_files("scans", "colour", other, resume=True, overwrite=True)
    assert len(done_before(results)) == 9
    assert Path("colour/1/01.png").exists()


def test_a_model_by_its_path_is_the_same_model(scans, model, tmp_path):
    save_model(model, tmp_path / "a.keras")
    colorize_files("scans", "colour", model)
    assert len(done_before(colorize_files("scans", "colour", tmp_path / "a.keras", resume=True))) == 11


def test_pictures_of_other_origin_are_never_replaced_by_going_on(scans, model):
    write_image("colour/0/00.png", GRAY)
    colorize_files("scans/1", "colour", model)
    with pytest.raises(ImageError, match=r"colour/0/00\.png would be overwritten"):
        colorize_files("scans", "colour", model, resume=True)
    np.testing.assert_array_equal(read_image("colour/0/00.png").pixels, GRAY)


def test_an_output_that_was_changed_or_cut_short_is_not_taken_for_done(scans, model):
    colorize_files("scans", "colour", model)
    Path("colour/2/02.png").write_bytes(b"")  # what a power cut can leave
    with pytest.raises(ImageError, match=r"colour/2/02\.png would be overwritten"):
        colorize_files("scans", "colour", model, resume=True)
    assert len(done_before(colorize_files("scans", "colour", model, resume=True, overwrite=True))) == 10


def test_a_damaged_record_costs_only_what_it_does_not_say(scans, model):
    colorize_files("scans", "colour", model)
    record = Path("colour", RECORD_NAME)
    lines = [line for line in record.read_bytes().splitlines() if b'"done": ' in line]
    record.write_bytes(b"\n".join([b"\xff\xfe[", b"3", b"{}", b'{"done": 7}', *lines[:-2], lines[-2][:-10]]))
    results = colorize_files("scans", "colour", model, resume=True, overwrite=True)
    assert len(done_before(results)) == 9
    assert len(done_before(colorize_files("scans", "colour", model, resume=True))) == 11


def test_what_a_killed_process_leaves_is_done_again(scans, model):
    """The record says that 00.png and 01.png were begun: one is written and one half-written."""
    colorize_files("scans", "colour", model)
    whole = contents("colour")
    record = Path("colour", RECORD_NAME)
    lines = [line for line in record.read_bytes().splitlines() if b'"done": {"0/00.png"' not in line]
    record.write_bytes(b"\n".join(line for line in lines if b'"done": {"1/01.png"' not in line))
    write_image("colour/0/00.png", GRAY, overwrite=True)
    os.truncate("colour/1/01.png", 20)
    os.rename("colour/1/01.png", f"colour/1/{_unfinished_prefix(Path('01.png'))}0123.part")
    results = colorize_files("scans", "colour", model, resume=True)
    assert len(done_before(results)) == 9
    assert contents("colour") == whole
    assert not leftovers("colour")


def test_one_file_has_no_record(scans, model):
    colorize_files("scans/0/00.png", "colour.png", model)
    assert not Path(RECORD_NAME).exists()
    with pytest.raises(DensecolorError, match="goes on in a folder"):
        colorize_files("scans/0/00.png", "colour.png", model, resume=True)


def run_until(arguments, enough, number):
    """Run the command and send it a signal once `enough` outputs are there; its exit status and stderr."""
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *arguments], stderr=subprocess.PIPE, text=True)
    while len(contents("colour")) < enough and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(number)
    _, stderr = process.communicate()
    return process.returncode, stderr


COMMAND = "from densecolor.cli.colorize import main; main()"


@pytest.mark.slow
def test_killed_and_interrupted_commands(tmp_path, monkeypatch, model):
    monkeypatch.chdir(tmp_path)
    save_model(model, "model.keras")
    for number in range(80):
        write_image(f"scans/{number:03d}.png", GRAY + np.uint8(number % 16))
    arguments = ["scans", "-o", "colour", "-m", "model.keras", "--resume"]
    status, _ = run_until(arguments, 3, signal.SIGKILL)
    assert status == -signal.SIGKILL
    killed = len(contents("colour"))
    assert 3 <= killed < 80

    status, stderr = run_until(arguments, killed + 3, signal.SIGINT)
    assert status == 130
    assert stderr.splitlines()[-1].startswith("Interrupted.")
    interrupted = len(contents("colour"))
    assert killed < interrupted < 80
    assert not leftovers("colour")

    results = colorize_files("scans", "colour", "model.keras", resume=True)
    assert interrupted - 3 <= len(done_before(results)) <= interrupted
    colorize_files("scans", "whole", model)
    assert contents("colour") == contents("whole")
