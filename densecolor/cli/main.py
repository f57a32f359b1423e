"""`densecolor <verb> ...`, the same as `densecolor-<verb> ...`."""

from densecolor.cli.colorize import colorize
from densecolor.cli.common import VersionOption
from densecolor.cli.common import new_app
from densecolor.cli.embed import embed
from densecolor.cli.evaluate import evaluate
from densecolor.cli.export import export
from densecolor.cli.import_ import import_
from densecolor.cli.inspect import inspect
from densecolor.cli.merge import merge
from densecolor.cli.pack import pack
from densecolor.cli.study import study
from densecolor.cli.train import train
from densecolor.cli.web import web

app = new_app(
    help="Colours for grayscale pictures: pack, inspect, merge, embed, train, evaluate, colorize, export, import, "
    "study, web.",
    no_args_is_help=True,
)
for _command in (pack, inspect, merge, embed, train, evaluate, colorize, export, web):
    app.command()(_command)
app.command("import")(import_)  # a keyword of Python, so the function has another name
app.add_typer(study, name="study")


@app.callback()
def _common_options(version: VersionOption = False):
    pass


def main():
    """Console script `densecolor`."""
    app()
