"""The model that comes with the package: it is what its card says, and needs no name, no network, no other file."""

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import cv2
import numpy as np
import pytest

import densecolor
from densecolor.checkpoint import load_model
from densecolor.checkpoint import save_model
from densecolor.checkpoint import shipped_card
from densecolor.checkpoint import shipped_models
from densecolor.checkpoint import shipped_path
from densecolor.color import srgb_to_lab
from densecolor.errors import CheckpointError
from densecolor.image_io import write_image
from densecolor.models import create

ROOT = Path(__file__).parents[1]


def test_the_file_is_the_one_of_its_card():
    card = shipped_card()
    content = shipped_path().read_bytes()
    assert hashlib.sha256(content).hexdigest() == card["sha256"]
    assert len(content) == card["bytes"] < 8e6
    model = load_model("default")
    assert model.count_params() == card["parameters"]
    assert (model.temperature, model.working_size) == (card["temperature"], card["working_size"])
    assert card["sha256"] in (ROOT / "docs" / "default-model.md").read_text()


def test_photographs_that_were_kept_out():
    names = (ROOT / "tools" / "configs" / "held_out_photographs.txt").read_text().split()
    assert len(set(names)) == len(names) == shipped_card()["held_out"]["pictures"] == 200


def test_no_name_is_its_name(photographs):
    gray = cv2.cvtColor(cv2.resize(photographs["chelsea.png"], (120, 80)), cv2.COLOR_RGB2GRAY)
    rgb = densecolor.colorize(gray)
    np.testing.assert_array_equal(rgb, densecolor.colorize(gray, "default"))
    a, b = srgb_to_lab(rgb)[..., 1:].reshape(-1, 2).T
    assert np.hypot(a, b).mean() > 2  # not gray


def test_the_command_needs_no_model(photographs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("default").mkdir()  # a folder of this name, of whatever, is in nobody's way
    write_image("photo.png", photographs["coffee.png"][:60, :90, 0])
    (result,) = densecolor.colorize_files("photo.png", "colour.png")
    assert result.error is None
    with pytest.raises(CheckpointError, match=r"default holds neither best\.keras"):
        load_model("default")


def test_unknown_names(tmp_path):
    assert "default" in shipped_models()
    with pytest.raises(CheckpointError, match="No model 'defualt' comes with this densecolor, but default"):
        shipped_path("defualt")
    with pytest.raises(CheckpointError, match="There is no model file 'defualt'"):
        load_model("defualt")


def test_half_precision_loses_what_it_says(tmp_path):
    model = create("unet", filters=(4, 6))
    random = np.random.default_rng(0)
    model.set_weights([random.normal(0, 3, weight.shape) for weight in model.get_weights()])
    model.compile("adam", "mse")
    model.optimizer.build(model.trainable_variables)
    save_model(model, tmp_path / "whole.keras")
    save_model(model, tmp_path / "half.keras", half=True)
    for whole, half in zip(model.get_weights(), load_model(tmp_path / "half.keras").get_weights(), strict=True):
        assert half.dtype == np.float32
        np.testing.assert_array_equal(half, whole.astype(np.float16).astype(np.float32))
        np.testing.assert_allclose(half, whole, rtol=1 / 2048, atol=1e-7)
    model.weights[0].assign(model.weights[0] * 1e6)
    with pytest.raises(CheckpointError, match="too large for float16"):
        save_model(model, tmp_path / "large.keras", half=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["half.keras", "whole.keras"]


@pytest.mark.slow
def test_an_installation_without_network_colorizes(photographs, tmp_path):
    """A wheel in a new environment that sees this one's packages, and no network where the system allows that."""
    wheel = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(wheel, check=True)
    venv.create(tmp_path / "new", with_pip=False)
    (packages,) = (tmp_path / "new" / "lib").glob("python*/site-packages")
    (built,) = tmp_path.glob("densecolor-*.whl")
    shutil.unpack_archive(built, packages, "zip")
    (packages / "others.pth").write_text(str(Path(np.__file__).parents[1]) + "\n")
    write_image(tmp_path / "photo.png", photographs["coffee.png"][..., 0])
    alone = ["unshare", "-rn"] if subprocess.run(["unshare", "-rn", "true"], check=False).returncode == 0 else []
    code = "import sys; from densecolor.cli.main import main; sys.argv[0] = 'densecolor'; main()"
    command = [tmp_path / "new/bin/python", "-c", code, "colorize", "photo.png", "-o", "out.png"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    subprocess.run([*alone, *command], cwd=tmp_path, env=environment, check=True)
    assert cv2.imread(str(tmp_path / "out.png")).std(axis=2).mean() > 1
