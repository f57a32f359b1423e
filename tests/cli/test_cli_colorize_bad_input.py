"""`densecolor-colorize` and what people, disks and strangers give it: refused or reported, and nothing else suffers."""

import json
import os
import resource
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import typer.testing
from made_checkpoints import KERNEL
from made_checkpoints import foreign_configs
from made_checkpoints import replaced
from made_checkpoints import rewrite
from made_checkpoints import with_arguments
from made_pictures import encoded
from made_pictures import mutate
from made_pictures import png
from PIL import Image

from densecolor.checkpoint import save_model
from densecolor.cli.colorize import colorize
from densecolor.cli.common import new_app
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.inference import colorize_files
from densecolor.models.unet import UNetColorizer

GRAY = np.tile(np.arange(0, 240, 6, dtype=np.uint8), (30, 1))


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    return UNetColorizer(filters=(2, 4), working_size=16)


@pytest.fixture(scope="module")
def checkpoint(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.keras"
    save_model(model, path)
    return path


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The current folder, with scans/good.png in it."""
    monkeypatch.chdir(tmp_path)
    write_image("scans/good.png", GRAY)
    return tmp_path


def run(*arguments):
    app = new_app()
    app.command()(colorize)
    result = typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def run_folder(checkpoint, *arguments):
    """Colorize scans into colour; exit status, and the reason for each file that failed."""
    result = run("scans", "-o", "colour", "-m", checkpoint, "--json", *arguments)
    rows = json.loads(result.stdout)
    for row in rows:
        assert Path(row["output"]).exists() == (row["error"] is None), row
    complaints = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert sorted(complaints) == sorted(f"error: {row['error']}" for row in rows if row["error"])
    assert not list(Path("colour").rglob("*.part*"))
    return result.exit_code, {Path(row["source"]).name: row["error"] for row in rows}


def test_hundreds_of_mutated_pictures(folder, checkpoint, crops):
    random = np.random.default_rng(0)
    for suffix, data in encoded(crops).items():
        for i in range(40):
            Path(f"scans/{i}.{suffix}").write_bytes(mutate(data, random))
    status, reasons = run_folder(checkpoint)
    assert status == 1
    assert len(reasons) == 321
    assert reasons["good.png"] is None
    failed = {name: reason for name, reason in reasons.items() if reason}
    assert 100 < len(failed) < 321
    assert all(f"scans/{name}" in reason for name, reason in failed.items())


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif"])
def test_cut_short_at_any_byte(folder, checkpoint, crops, suffix):
    data = encoded(crops)[suffix]
    for length in range(0, len(data), 31):
        Path(f"scans/{length}.{suffix}").write_bytes(data[:length])
    Path(f"scans/whole.{suffix}").write_bytes(data)
    status, reasons = run_folder(checkpoint)
    assert status == 1
    assert [name for name, reason in reasons.items() if reason is None] == ["good.png", f"whole.{suffix}"]
    assert "the file is empty" in reasons[f"0.{suffix}"]


@pytest.mark.parametrize("runtime", ["openvino", pytest.param("onnx", marks=pytest.mark.slow)])
def test_other_runtimes_get_only_whole_pictures(folder, checkpoint, crops, runtime, monkeypatch):
    pytest.importorskip("openvino" if runtime == "openvino" else "tf2onnx")
    pytest.importorskip("openvino" if runtime == "openvino" else "onnxruntime")
    monkeypatch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
    random = np.random.default_rng(1)
    for suffix, data in encoded(crops).items():
        for i in range(5):
            Path(f"scans/{i}.{suffix}").write_bytes(mutate(data, random))
    Path("scans/bomb.png").write_bytes(png(30_000, 30_000))
    Path("scans/empty.tif").touch()
    write_image("scans/black.png", np.zeros((9, 9), np.uint8))
    write_image("scans/line.png", GRAY[:1])
    Path("model.keras").write_bytes(checkpoint.read_bytes())
    status, reasons = run_folder("model.keras", "--runtime", runtime)
    assert status == 1
    assert len(reasons) == 45
    assert [reasons[name] for name in ("good.png", "black.png", "line.png")] == [None] * 3
    assert all(reasons[name] for name in ("bomb.png", "empty.tif"))
    assert not read_image("colour/black.png").pixels.any()
    Path("model.keras").write_bytes(checkpoint.read_bytes())
    attacked(Path("model.keras"), "lambda", folder / "canary")
    refused = run("scans/good.png", "-o", "out.png", "-m", "model.keras", "--runtime", runtime)
    assert refused.exit_code == 1
    assert "model.keras holds" in refused.stderr
    assert not (folder / "canary").exists()


def test_odd_files(folder, checkpoint, crops):
    data = encoded(crops)
    Path("scans/png called.jpg").write_bytes(data["png"])
    Path("scans/new\nline.png").write_bytes(data["png"])
    Path(os.fsdecode(b"scans/latin \xe9.png")).write_bytes(data["png"])
    Path("scans/text.jpg").write_text("not a picture")
    Path("scans/bomb.png").write_bytes(png(30_000, 30_000))
    Path("scans/folder.png").mkdir()
    Path("scans/folder.png/inside.png").write_bytes(data["png"])
    with open("scans/sparse.png", "wb") as file:
        file.truncate(1 << 40)
    os.symlink("nowhere", "scans/link.png")
    os.mkfifo("scans/pipe.png")
    os.symlink("/dev/zero", "scans/device.png")
    status, reasons = run_folder(checkpoint)
    assert status == 1
    failed = {name: reason for name, reason in reasons.items() if reason}
    assert failed.keys() == {"text.jpg", "bomb.png", "sparse.png"}  # a folder gives its files, and no pipes or devices
    assert "not a picture of a known format" in failed["text.jpg"]
    assert "30000 x 30000 is more than max_pixels" in failed["bomb.png"]
    assert "larger than 2 GiB" in failed["sparse.png"]
    assert len(reasons) == 8


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads everything")
def test_unreadable_files(folder, checkpoint):
    Path("scans/bad.png").write_bytes(b"x")
    Path("scans/bad.png").chmod(0)
    status, reasons = run_folder(checkpoint)
    assert status == 1
    assert "Permission denied" in reasons["bad.png"]


def test_files_that_vanish_meanwhile(folder, model):
    for name in ("1.png", "2.png", "3.png"):
        write_image(f"scans/{name}", GRAY)

    def progress(done, total):
        Path("scans/good.png").unlink(missing_ok=True)

    results = colorize_files("scans", "colour", model, threads=1, progress=progress)
    assert ["No such file" in (result.error or "") for result in results] == [False, False, False, True]


@pytest.mark.parametrize("level", [0, 255])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_black_and_white_pictures_stay_as_they_are(folder, checkpoint, level, dtype):
    plain = np.full((37, 50), level * (257 if dtype is np.uint16 else 1), dtype)
    write_image("plain.png", plain)
    assert run("plain.png", "-o", "out.png", "-m", checkpoint, "--saturation", 5).exit_code == 0
    np.testing.assert_array_equal(read_image("out.png").pixels, np.dstack([plain] * 3))


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 1), (2, 3)])
def test_pictures_of_one_row(folder, checkpoint, shape):
    write_image("line.png", np.resize(GRAY, shape))
    for options in ([], ["--side-by-side"], ["--compare", checkpoint], ["--sidecar"]):
        assert run("line.png", "-o", "out.png", "-m", checkpoint, "--overwrite", *options).exit_code == 0
    assert read_image("out.png").pixels.shape == (*shape, 3)


def test_an_output_that_is_an_input(folder, checkpoint):
    before = Path("scans/good.png").read_bytes()
    os.link("scans/good.png", "hard.png")
    os.symlink("scans/good.png", "soft.png")
    for output in ("scans/good.png", "./scans/../scans/good.png", "soft.png", "scans"):
        result = run("scans/good.png", "-o", output, "-m", checkpoint, "--overwrite")
        assert result.exit_code == 1
        assert "would replace an input picture" in result.stderr
    assert run("scans/good.png", "-o", "hard.png", "-m", checkpoint, "--overwrite").exit_code == 0
    assert Path("scans/good.png").read_bytes() == before  # a new file has taken the other name


@pytest.fixture
def no_space():
    """Files end at 200,000 bytes, as on a disk that is nearly full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def start():
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))

    yield start
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_no_space_for_some_outputs(folder, checkpoint, no_space):
    noise = np.random.default_rng(0).integers(0, 256, (600, 600)).astype(np.uint8)
    write_image("scans/large.png", noise)
    no_space()
    result = run("scans", "-o", "colour", "-m", checkpoint)
    assert result.exit_code == 1
    assert "scans/large.png: " in result.stderr
    assert "File too large" in result.stderr
    assert "1 of 2 pictures colorized" in result.stderr
    assert sorted(path.name for path in Path("colour").iterdir()) == [".densecolor.jsonl", "good.png"]
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
    result = run("scans", "-o", "colour", "-m", checkpoint, "--resume")
    assert result.exit_code == 0
    assert "2 of 2 pictures colorized into colour, 1 of them before." in result.stderr


def test_many_files_of_one_name(folder, checkpoint):
    names = [f"many/{number}/page.png" for number in range(200)]
    for number, name in enumerate(names):
        write_image(name, GRAY[:8, :8] + np.uint8(number % 16))
    assert run(*names, "-o", "colour", "-m", checkpoint).exit_code == 0
    assert len(list(Path("colour").glob("*/page.png"))) == 200
    for number in (0, 77, 199):
        gray = np.asarray(Image.open(f"colour/{number}/page.png").convert("L")).astype(int)
        assert np.abs(gray - np.asarray(Image.open(names[number]))).mean() < 6


def attacked(path, attack, canary):
    """Change a checkpoint into one that is not to be trusted."""
    configs = foreign_configs(canary)
    edits = {
        "lambda": {"edit_config": lambda _: configs[0]},
        "plain Keras": {"edit_config": lambda _: configs[1]},
        "saved graph": {"edit_config": lambda _: configs[2]},
        "any callable": {"edit_config": lambda _: configs[3]},
        "code as an argument": {"edit_config": with_arguments(filters=configs[0])},
        "external storage": {
            "edit_weights": replaced(
                lambda file, shape: file.create_dataset(KERNEL, shape, "f4", external=[(str(canary), 0, 4096)])
            )
        },
        "external link": {
            "edit_weights": replaced(lambda file, shape: file.__setitem__(KERNEL, h5py.ExternalLink(str(canary), "x")))
        },
        "one file more": {"extra": [("../canary", b"executed")]},
    }
    rewrite(path, **edits[attack])


@pytest.mark.parametrize(
    "attack",
    [
        "lambda",
        "plain Keras",
        "saved graph",
        "any callable",
        "code as an argument",
        "external storage",
        "external link",
        "one file more",
    ],
)
def test_checkpoints_with_more_than_numbers_are_refused_and_nothing_runs(folder, checkpoint, attack):
    canary, path = folder / "canary", folder / "bad.keras"
    path.write_bytes(checkpoint.read_bytes())
    attacked(path, attack, canary)
    for arguments in (["-m", path], ["-m", checkpoint, "--compare", path]):
        result = run("scans", "-o", "colour", *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert "bad.keras" in result.stderr
    assert not canary.exists()
    assert not Path("colour").exists()


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.99])
def test_truncated_checkpoints_are_refused(folder, checkpoint, kept):
    data = checkpoint.read_bytes()
    Path("cut.keras").write_bytes(data[: int(kept * len(data)) if kept < 1 else kept])
    result = run("scans", "-o", "colour", "-m", "cut.keras")
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1
    assert "cut.keras" in result.stderr
    assert not Path("colour").exists()


def test_a_model_that_has_diverged_ends_the_run(folder, model):
    diverged = UNetColorizer(filters=(2, 4), working_size=16, name="diverged")
    diverged.set_weights([np.full_like(weight, np.nan) for weight in diverged.get_weights()])
    save_model(diverged, "diverged.keras")
    result = run("scans", "-o", "colour", "-m", "diverged.keras")
    assert result.exit_code == 1
    assert "'diverged' predicts NaN" in result.stderr
    assert not Path("colour/good.png").exists()
