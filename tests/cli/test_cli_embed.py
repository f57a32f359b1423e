import json
import shutil

import typer.testing

from densecolor.cli.common import new_app
from densecolor.cli.embed import embed


def run(*arguments):
    app = new_app()
    app.command()(embed)
    return typer.testing.CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_embed_tells_what_it_did(packed, mobilenet_weights, tmp_path):
    options, weights = mobilenet_weights
    data = shutil.copytree(packed, tmp_path / "data")
    pairs = [(f"--{name.replace('_', '-')}", value) for name, value in options.items()]
    arguments = [data, "--weights", weights, *(part for pair in pairs for part in pair)]
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert "5 files written, 0 were there" in result.stderr
    result = run(*arguments, "--json")
    document = json.loads(result.stdout)
    assert (len(document["skipped"]), document["written"], document["branch"]) == (5, [], "mobilenet")


def test_embed_tells_mistakes_in_one_line(tmp_path):
    result = run(tmp_path / "nowhere")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "There is no packed folder" in result.stderr
