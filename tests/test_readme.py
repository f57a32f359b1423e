"""The README's Python, run as it stands."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import skimage

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


def test_commands_in_the_readme_exist():
    for command in re.findall(r"^    densecolor-(\w+)", README, re.MULTILINE):
        assert (ROOT / "densecolor" / "cli" / f"{command}.py").exists()
    for option in re.findall(r"`?(--[a-z-]+)", README):
        sources = "".join(path.read_text() for path in (ROOT / "densecolor" / "cli").glob("*.py"))
        assert option in sources or option.removeprefix("--").replace("-", "_") in sources
