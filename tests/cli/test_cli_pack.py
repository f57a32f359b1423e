import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import cv2
import pytest
from typer.testing import CliRunner

from densecolor.cli.common import new_app
from densecolor.cli.pack import pack
from densecolor.packing import pack as pack_pictures
from densecolor.shards import read_manifest

COMMAND = [sys.executable, "-c", "from densecolor.cli.pack import main; main()"]


@pytest.fixture
def source(tmp_path, photographs):
    for i, rgb in enumerate(photographs.values()):
        path = tmp_path / f"source/{'ab'[i % 2]}/{i}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), cv2.resize(rgb, (60, 40))[..., ::-1])
    (tmp_path / "source/empty.jpg").write_bytes(b"")
    return tmp_path / "source"


def invoke(*arguments):
    app = new_app()
    app.command()(pack)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_packs_and_tells_what_it_did(source, tmp_path):
    out = tmp_path / "out"
    result = invoke(source, out, "--image-size", 16, "--workers", 1, "--validation-fraction", 0, "--fit", "pad")
    assert result.exit_code == 0
    assert "6 pictures found, 5 packed (5 train), 1 rejected." in result.stderr
    assert "1 the file is empty" in result.stderr
    assert str(out / "rejected.csv") in result.stderr
    assert result.stdout == ""
    manifest = read_manifest(out)
    assert (manifest.image_size, manifest.options["fit"], manifest.class_names) == (16, "pad", ["a", "b"])


def test_json_is_all_that_is_printed_on_standard_output(source, tmp_path):
    out = tmp_path / "out"
    result = invoke(source, out, "--image-size", 16, "--workers", 1, "--validation-fraction", 0, "--json")
    summary = json.loads(result.stdout)
    assert summary["packed"] == 5
    assert summary["splits"] == {"train": 5}
    assert summary["classes"] == 2
    assert summary["rejected_by_reason"] == {"the file is empty": 1}
    assert summary["bytes"] == (out / summary["shards"][0]["name"]).stat().st_size


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing", "out"), "error: There is no source missing."),
        (("source", "source/out"), "lies inside the source"),
        (("source", "out", "--layout", "cifar"), "Unknown layout='cifar'. Choose from auto, folder"),
        (("source", "out", "--compression", "zip"), "Unknown compression='zip'"),
        (("source", "out", "--root", "elsewhere"), "is for list files only"),
    ],
)
def test_errors_take_one_line_and_status_1(source, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    result = invoke(*arguments)
    assert result.exit_code == 1
    assert message in result.stderr
    assert result.stderr.count("\n") == 1


def test_going_on_and_being_done_are_said(source, tmp_path):
    def stop(done, total):
        if done == 3:
            raise KeyboardInterrupt

    out = tmp_path / "out"
    with pytest.raises(KeyboardInterrupt):
        pack_pictures(source, out, image_size=16, workers=1, shard_size=1, progress=stop)
    arguments = (source, out, "--image-size", 16, "--workers", 1, "--shard-size", 1)
    assert re.search(r"[12] of them had been done before", invoke(*arguments).stderr)
    again = invoke(*arguments)
    assert again.exit_code == 0
    assert "was finished already" in again.stderr


def test_verify(source, tmp_path):
    out = tmp_path / "out"
    invoke(source, out, "--image-size", 16, "--workers", 1)
    result = invoke("--verify", out)
    assert (result.exit_code, result.stderr) == (0, f"{out} is whole: 5 pictures in 1 shards as the manifest says.\n")
    shard = next(out.glob("*.h5"))
    shard.write_bytes(shard.read_bytes()[:-1])
    result = invoke("--verify", out)
    assert result.exit_code == 1
    assert f"{shard} has " in result.stderr
    assert json.loads(invoke("--verify", out, "--json").stdout)["problems"]


def test_usage_errors_have_status_2(source, tmp_path):
    assert invoke(source).exit_code == 2
    assert invoke("--verify", source, tmp_path).exit_code == 2
    assert invoke(source, "out", "--image-size", "big").exit_code == 2


@pytest.fixture
def start(source, tmp_path, photographs):
    """A function that starts packing 200 photographs in two processes and returns once a shard is begun."""
    processes = []

    def start_packing(**options):
        for i in range(200):
            cv2.imwrite(str(source / f"more{i}.png"), photographs["coffee.png"])
        out = tmp_path / "out"
        command = [*COMMAND, str(source), str(out), "--image-size", "512", "--workers", "2"]
        process = subprocess.Popen(command, start_new_session=True, **options)
        processes.append(process)
        while not list(out.rglob("*.partial")):
            assert process.poll() is None
            time.sleep(0.01)
        return process, out

    yield start_packing
    with contextlib.suppress(ProcessLookupError):
        os.killpg(processes[0].pid, signal.SIGKILL)


def wait_until_gone(group):
    """Wait until no process of a group is left; hangs if one stays."""
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(group, 0)
            time.sleep(0.02)


@pytest.mark.parametrize("delay", [0, 1])
def test_ctrl_c_ends_all_processes_and_leaves_nothing_half_written(start, delay):
    process, out = start(stderr=subprocess.PIPE, text=True)
    time.sleep(delay)  # the other process is still starting, or at work
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to all processes at once
    errors = process.communicate()[1]
    assert process.returncode == 130
    assert "Interrupted" in errors
    assert "Traceback" not in errors
    assert "Give the same command again to go on" in errors
    wait_until_gone(process.pid)
    assert {path.suffix for path in out.rglob("*") if path.is_file()} <= {"", ".json"}  # "" is the lock


def test_the_other_processes_end_when_the_command_is_killed(start):
    process, out = start()
    process.kill()
    process.wait()
    wait_until_gone(process.pid)
    assert not list(out.glob("*.h5"))
    assert subprocess.run(process.args, capture_output=True, check=True, text=True).stderr.startswith("206 pictures")
    assert not list(out.rglob("*.partial"))
