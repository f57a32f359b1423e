import json

import numpy as np
import pytest
import typer.testing
from conftest import write_packed

from densecolor.cli.common import new_app
from densecolor.cli.inspect import inspect
from densecolor.cli.merge import merge
from densecolor.shards import read_manifest


def run(command, *arguments):
    app = new_app()
    app.command()(command)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def other(tmp_path, crops):
    """Four test pictures of a class that `packed` has not, and one that it has."""
    return write_packed(tmp_path / "other", {"test": (crops[:4], np.arange(4) % 2)}, ["zebra", "cat"])


def test_inspect_prints_a_table_and_says_how_to_draw(packed):
    result = run(inspect, packed)
    assert result.exit_code == 0, result.output
    for part in ("30 of 32 x 32 pixels", "train-00000-of-00003.h5", "coffee"):
        assert part in result.stdout
    assert "With --output DIR" in result.stderr


def test_inspect_draws(packed, tmp_path):
    result = run(inspect, packed, "--output", tmp_path / "looks", "--json")
    document = json.loads(result.stdout)
    assert document["written"] == [str(tmp_path / "looks" / name) for name in ("ab-histogram.png", "contact-sheet.png")]
    assert document["splits"] == {"train": 21, "validation": 9}
    assert result.stderr.count("Drawn: ") == 2


def test_inspect_one_shard(packed):
    result = run(inspect, packed / "validation-00001-of-00002.h5")
    assert result.exit_code == 0
    assert "1 of 32 x 32 pixels" in result.stdout
    assert result.stderr == ""


@pytest.mark.parametrize(("name", "complaint"), [("nowhere", "There is no packed folder"), ("", "no manifest.json")])
def test_inspect_tells_mistakes_in_one_line(tmp_path, name, complaint):
    result = run(inspect, tmp_path / name)
    assert result.exit_code == 1
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1


def test_merge_tells_what_it_made(packed, other, tmp_path):
    result = run(merge, packed, other, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "34 pictures (21 train, 9 validation, 4 test), 4 classes." in result.stderr
    assert "6 shards" in result.stderr
    assert result.stdout == ""
    assert read_manifest(tmp_path / "out").class_names == ["cat", "coffee", "rocket", "zebra"]


def test_merge_as_json(packed, other, tmp_path):
    document = json.loads(run(merge, packed, other, tmp_path / "out", "--json").stdout)
    manifest = read_manifest(tmp_path / "out")
    assert document == {
        "out": str(tmp_path / "out"),
        "packed": 34,
        "splits": {"train": 21, "validation": 9, "test": 4},
        "classes": 4,
        "shards": 6,
        "bytes": sum(shard.bytes for shard in manifest.shards),
        "rejected": 0,
    }


def test_merge_tells_mistakes_in_one_line(packed, tmp_path):
    result = run(merge, packed, packed, tmp_path / "out")
    assert result.exit_code == 1
    assert "The picture 'train/0.png' is in" in result.stderr
    assert result.stderr.count("\n") == 1


def test_merge_of_one_folder_is_a_usage_error(packed, tmp_path):
    result = run(merge, packed, tmp_path / "out")
    assert result.exit_code == 2
    assert "OUT last" in result.stderr


@pytest.mark.parametrize("command", [inspect, merge])
def test_help_shows_an_example(command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"densecolor-{command.__name__} packed" in result.stdout
