"""The README's Python, run as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import skimage
import typer

from densecolor.cli.main import app as densecolor_app

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", README + (ROOT / "h5data/README.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.mark.parametrize("number", range(3))
def test_python_in_the_readme_runs(tmp_path, number):
    os.symlink(ROOT / "h5data", tmp_path / "h5data")
    shutil.copy(Path(skimage.__file__).parent / "data" / "rocket.jpg", tmp_path / "old.jpg")
    result = subprocess.run(
        [sys.executable, "-c", BLOCKS[number]], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr


def test_every_block_is_run():
    assert len(BLOCKS) == 3


def test_commands_in_the_readme_have_their_options():
    app = typer.main.get_command(densecolor_app)
    lines = re.findall(r"^ +densecolor-(\w+) (.*)", README, re.MULTILINE)
    assert {command for command, _ in lines} == set(app.commands)
    for command, arguments in lines:
        called = app.commands[command]
        if hasattr(called, "commands"):  # densecolor-study new
            called = called.commands[arguments.split()[0]]
        known = {name for parameter in called.params for name in parameter.opts}
        assert set(re.findall(r"(?:^| )(--?[a-z][a-z-]*)", arguments)) <= known | {"--help"}
