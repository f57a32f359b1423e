import sys

import pytest
import typer.testing

from densecolor.cli.common import new_app
from densecolor.cli.import_ import import_


def run(*arguments):
    app = new_app()
    app.command()(import_)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_mistakes_are_told_in_one_line(tmp_path):
    (tmp_path / "old.keras").write_text("a model")
    for arguments, complaint in (
        (
            ("colour", tmp_path / "w.pth", tmp_path / "new.keras"),
            "Unknown system='colour'. Choose from chromagan, colorful, pix2pix, scgan.",
        ),
        (("colorful", tmp_path / "w.pth", tmp_path / "new.keras"), "There is no weights file"),
        (("colorful", tmp_path / "w.pth", tmp_path / "old.keras"), "replace it with --overwrite"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert complaint in result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "new.keras").exists()


@pytest.mark.parametrize(("name", "package"), [("w.pth", "torch"), ("w.safetensors", "safetensors")])
def test_a_missing_package_is_named_with_its_extra(tmp_path, name, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)  # Python's own way to say that a module is not to be found
    (tmp_path / name).write_bytes(b"weights")
    result = run("colorful", tmp_path / name, tmp_path / "new.keras")
    assert result.exit_code == 1
    assert f'{package} is not installed. Install it with: pip install "densecolor[import]"' in result.stderr
