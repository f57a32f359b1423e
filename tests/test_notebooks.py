"""The notebooks of docs/notebooks: as they are committed, and (slow) run once more in a real kernel."""

import base64
import io
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import PIL.Image
import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "docs" / "notebooks"
NOTEBOOKS = sorted(path.name for path in FOLDER.glob("*.ipynb"))
MAX_BYTES = 300_000
# Of home and system folders, Windows' drives, and servers; "/ 128" and "a/b" are none.
MACHINE_PATH = re.compile(r"(?<![\w.])/(home|root|Users|tmp|usr|opt|var|work|mnt|private)\b|\b[A-Z]:\\|\w://")
NOISE = re.compile(r"warning|deprecated|traceback|━|it/s|ms/step", re.IGNORECASE)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook):
    """Everything that can be read in a notebook: sources, printed text, and text forms of values."""
    for cell in notebook.cells:
        yield cell.source
    for cell in code_cells(notebook):
        yield from output_texts(cell)


def output_texts(cell):
    for output in cell.outputs:
        if output.output_type == "stream":
            yield output.text
        else:
            yield from (value for kind, value in output.data.items() if kind.startswith("text/"))


def pictures(notebook):
    for cell in code_cells(notebook):
        for output in cell.outputs:
            if "image/jpeg" in output.get("data", {}):
                yield PIL.Image.open(io.BytesIO(base64.b64decode(output.data["image/jpeg"]))).convert("RGB")


def check_was_run(notebook):
    """All code cells ran, once, from top to bottom, without an error, and something is to be seen."""
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = {output.output_type for cell in cells for output in cell.outputs}
    assert kinds <= {"stream", "display_data", "execute_result"}
    shown = list(pictures(notebook))
    assert shown
    assert all(np.asarray(picture).std() > 1 for picture in shown)


def test_there_are_notebooks():
    assert NOTEBOOKS == ["backend.ipynb", "compare.ipynb", "train.ipynb"]


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_notebooks_are_whole(name):
    notebook = nbformat.read(FOLDER / name, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    check_was_run(notebook)
    assert (FOLDER / name).stat().st_size < MAX_BYTES
    assert notebook.cells[0].cell_type == "markdown"
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_committed_notebooks_say_nothing_of_a_machine(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    for text in texts(notebook):
        assert not MACHINE_PATH.search(text), text
    for cell in code_cells(notebook):
        assert "stderr" not in {output.get("name") for output in cell.outputs}
        for text in output_texts(cell):
            assert not NOISE.search(text), text


@pytest.mark.parametrize("text", ["saved /tmp/x.keras", "'/home/me/data'", "see https://host/x", r"in C:\Users\me"])
def test_a_path_of_a_machine_is_noticed(text):
    assert MACHINE_PATH.search(text)


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_links_of_notebooks_lead_somewhere(name):
    notebook = nbformat.read(FOLDER / name, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for target in re.findall(r"\]\(([^)]+)\)", cell.source):
                assert (FOLDER / target).exists(), target


@pytest.mark.slow
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebooks_run(name, tmp_path):
    if name == "backend.ipynb":
        pytest.importorskip("jax")
    copy = tmp_path / "tree" / "docs" / "notebooks" / name
    copy.parent.mkdir(parents=True)
    notebook = nbformat.read(FOLDER / name, as_version=4)
    for cell in code_cells(notebook):
        cell.outputs, cell.execution_count = [], None
    nbformat.write(notebook, copy)
    shutil.copytree(ROOT / "h5data", tmp_path / "tree" / "h5data")
    before = contents(tmp_path / "tree")
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = os.environ | {"TMPDIR": str(temporary), "IPYTHONDIR": str(tmp_path / "ipython")}
    environment.pop("KERAS_BACKEND", None)
    command = [sys.executable, str(ROOT / "tools" / "run_notebooks.py"), str(copy)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    check_was_run(nbformat.read(copy, as_version=4))
    del before[copy]
    after = contents(tmp_path / "tree")
    del after[copy]
    assert after == before
    assert list(temporary.iterdir()) == []


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
