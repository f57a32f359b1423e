"""The structure that design and README promise: what imports what, and what importing costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import densecolor

PACKAGE = Path(densecolor.__file__).parent
LEVELS = (
    {"cores", "errors", "atomic", "interruption", "listening"},
    {"color", "image_io"},
    {"shards"},
    {"packing", "dataset"},
    {"losses", "metrics", "optimizers", "inspection"},
    {"models"},
    {"checkpoint"},
    {"inference", "embedding"},
    {"training", "evaluation", "study", "film"},  # films are colorized by `inference`, so stand right of it
    {"web"},  # a shell over the library, as commands are, which a command starts
    {"cli"},
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}
FILES = sorted(path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem != "__init__")


def part_of(path):
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imported_parts(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module == "densecolor":
            names = [f"densecolor.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("densecolor."):
                yield name.split(".")[1]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_only_from_the_left(path):
    part = part_of(path)
    for other in imported_parts(path):
        assert other == part or LEVEL[other] < LEVEL[part], f"{path} must not import densecolor.{other}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_files_stay_readable(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def modules_after(statement):
    code = f"import sys\n{statement}\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import densecolor; dir(densecolor)",
        "import densecolor.color, densecolor.image_io, densecolor.shards, densecolor.packing, densecolor.dataset",
        "import densecolor.inspection",
        "import densecolor.study",
        "import densecolor.cli.main",
        "import densecolor.cli.web",
    ],
)
def test_light_imports_stay_light(statement):
    assert not modules_after(statement) & {"tensorflow", "keras", "matplotlib", "jax", "torch", "gradio"}


def test_public_names_are_a_decision():
    assert set(densecolor.__all__) == {
        "DensecolorError",
        "__version__",
        "checkpoint",
        "color",
        "colorize",
        "colorize_files",
        "colorize_film",
        "dataset",
        "embed",
        "errors",
        "evaluate",
        "evaluation",
        "export",
        "film",
        "image_io",
        "inference",
        "load_model",
        "losses",
        "metrics",
        "models",
        "pack",
        "packing",
        "save_model",
        "shards",
        "study",
        "train",
        "training",
        "web",
    }
    for name in densecolor.__all__:
        assert getattr(densecolor, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = densecolor.no_such_name
