"""The pages of the documentation that are not written by hand, and where each page stands; a hook of MkDocs.

    mkdocs build --strict

What docs/ holds is taken as it is. Made here: the start page (README.md), the shard format (h5data/README.md), every
command's --help, the table of models, the gallery of all pictures in docs/, and a page of reference for each part of
the package, with the public names of its __init__.py.
"""

import ast
import contextlib
import io
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
PARTS = {
    "inference": "Colorizing",
    "film": "Films",
    "packing": "Packing",
    "shards": "Shards",
    "dataset": "Batches",
    "embedding": "Embeddings",
    "models": "Models",
    "losses": "Losses",
    "metrics": "Metrics",
    "training": "Training",
    "checkpoint": "Checkpoints",
    "inference/exporting": "Exports",
    "evaluation": "Evaluation",
    "study": "Studies",
    "web": "The page",
    "image_io": "Pictures",
    "color": "Colour",
    "errors": "Errors",
}
# Guides in the order in which someone needs them; others follow by their names.
GUIDES = ("colorizing.md", "medical-files.md", "packing.md", "reading.md", "training.md", "evaluation.md", "study.md")
PICTURES = (".jpg", ".png")
WIDTH = 100  # characters of a command's help
_LINK = re.compile(r"!?\[([^\]]*)\]\(([^)\s]+)\)")


def on_files(files, config):
    """Add the pages that are made here."""
    for path, content in _generated().items():
        files.append(File.generated(config, path, content=content))
    return files


def on_config(config):
    """Put the pages in order."""
    guides = {path.name for path in (ROOT / "docs").glob("*.md")}
    ordered = [name for name in GUIDES if name in guides] + sorted(guides - {*GUIDES})
    config.nav = [
        "index.md",
        {"Guides": ordered},
        {"Commands": [f"commands/{verb}.md" for verb in _commands()]},
        {"Reference": [{title: f"reference/{part}.md"} for part, title in PARTS.items()]},
        {"Models": "model-table.md"},
        {"Shard format": "shard-format.md"},
        {"Gallery": "gallery.md"},
    ]
    return config


def on_page_markdown(markdown, page, config, files):
    """Links to files that are no pages keep their words alone."""
    there = {file.src_uri for file in files}

    def kept(match):
        text, target = match.groups()
        path = target.partition("#")[0]
        if "://" in target or not path:
            return match[0]
        return match[0] if _resolved(page.file.src_uri, path) in there else text

    return _LINK.sub(kept, markdown)


def _resolved(page, path):
    parts = []
    for part in [*page.split("/")[:-1], *path.split("/")]:
        if part == ".." and parts:
            parts.pop()
        elif part not in (".", ""):
            parts.append(part)
    return "/".join(parts)


def _generated():
    pages = {
        "index.md": (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "]("),
        "shard-format.md": (ROOT / "h5data/README.md").read_text(encoding="utf-8"),
        "model-table.md": _model_table(),
        "gallery.md": _gallery(),
    }
    pages |= {f"commands/{verb}.md": text for verb, text in _commands().items()}
    return pages | {f"reference/{part}.md": _reference(part, title) for part, title in PARTS.items()}


def _commands():
    """Pages of the commands' help, by verb."""
    import typer

    from densecolor.cli.main import app

    commands = typer.main.get_command(app).commands
    return {
        verb: f"# densecolor-{verb}\n\n{_help(command, f'densecolor-{verb}')}" for verb, command in commands.items()
    }


def _help(command, name):
    """What --help shows, of the command and of its own commands."""
    from typer import rich_utils

    shown, width = io.StringIO(), rich_utils.MAX_WIDTH
    rich_utils.MAX_WIDTH = WIDTH
    try:
        with contextlib.redirect_stdout(shown):
            command(["--help"], prog_name=name, standalone_mode=False)
    finally:
        rich_utils.MAX_WIDTH = width
    lines = [line.rstrip() for line in shown.getvalue().strip().splitlines()]
    text = "```text\n" + "\n".join(lines) + "\n```\n"
    for verb, subcommand in getattr(command, "commands", {}).items():
        text += f"\n## {name} {verb}\n\n{_help(subcommand, f'{name} {verb}')}"
    return text


def _reference(part, title):
    """The public names of a part of the package, in the order of their kinds and of the alphabet."""
    folder, dotted = ROOT / "densecolor" / part, "densecolor." + part.replace("/", ".")
    if not folder.is_dir():
        return f"# {title}\n\n::: {dotted}\n    options:\n      show_root_heading: false\n"
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    homes, values = _imports(tree), _values(tree)
    homes |= {name: f"{home}.{name}" for name, home in values.get("_LAZY", {}).items()}
    names = [name for name in values["__all__"] if not name.isupper() and not _is_module(homes[name])]
    entries = "\n".join(f"::: {homes[name]}\n" for name in names)
    return f"# {title}\n\n`{dotted}`: {ast.get_docstring(tree)}\n\n{entries}"


def _imports(tree):
    """Where the names that a module imports are at home."""
    return {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


def _values(tree):
    """The module's plain values, by name."""
    values = {}
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            with contextlib.suppress(ValueError):
                values[node.targets[0].id] = ast.literal_eval(node.value)
    return values


def _is_module(home):
    path = ROOT / home.replace(".", "/")
    return path.is_dir() or path.with_suffix(".py").is_file()


def _model_table():
    from densecolor.cli.common import import_keras_quietly

    import_keras_quietly()
    from densecolor.models import list_models

    rows = [
        f"| `{card.name}` | {card.citation} | {card.trained_parameters / 1e6:.2f} | {card.frozen_parameters / 1e6:.2f} "
        f"| {card.multiply_adds:.1f} | {card.receptive_field or '-'} | {', '.join(('ab', *card.outputs))} "
        f"| {card.losses} |"
        for card in list_models(cards=True)
    ]
    head = (
        "# Models\n\n`densecolor.models.list_models(cards=True)` as a table: every model of the registry by its "
        "default options. Parameters are in millions, multiply-adds in billions for one picture of 256 x 256, the "
        "receptive field in pixels. [models.md](models.md) describes them.\n\n"
        "| name | paper | trained | frozen | multiply-adds | receptive field | outputs | losses |\n"
        "|---|---|---|---|---|---|---|---|\n"
    )
    return head + "\n".join(rows) + "\n"


def _gallery():
    """All pictures of docs/, with the page that tells about each."""
    docs = ROOT / "docs"
    guides = {path.name: path.read_text(encoding="utf-8") for path in sorted(docs.glob("*.md"))}
    guides["index.md"] = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    text = "# Gallery\n\nEvery picture of these pages, and where it belongs.\n"
    for picture in sorted(path.relative_to(docs).as_posix() for path in docs.rglob("*") if path.suffix in PICTURES):
        pages = [name for name, content in guides.items() if f"({picture})" in content]
        words = re.search(rf"!\[([^\]]*)\]\({re.escape(picture)}\)", "\n".join(guides.values()))
        title = words[1].replace("\n", " ") if words else picture
        links = ", ".join(f"[{name}]({name})" for name in pages)
        text += f"\n## {title}\n\n![{title}]({picture})\n" + (f"\nFrom {links}.\n" if links else "")
    return text
