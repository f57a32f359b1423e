"""The documentation's pages: built without a warning, without links that lead nowhere, with nothing from elsewhere."""

import html.parser
import inspect
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote
from urllib.parse import urlsplit

import pytest
import typer

import densecolor
from densecolor.cli.main import app

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
LOADED = {"img": "src", "link": "href", "script": "src", "source": "src", "iframe": "src"}


class Page(html.parser.HTMLParser):
    """What a page links to, what it loads, and the places in it that have names."""

    def __init__(self, path):
        super().__init__()
        self.links, self.loaded, self.names = [], [], {""}
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.names.update(attributes[key] for key in ("id", "name") if attributes.get(key))
        if tag == "a" and attributes.get("href"):
            self.links.append(attributes["href"])
        if tag in LOADED and attributes.get(LOADED[tag]) and attributes.get("rel") != "canonical":
            self.loaded.append(attributes[LOADED[tag]])


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built pages by their paths."""
    pytest.importorskip("mkdocstrings")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder]  # --quiet counts no warnings
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "WARNING -" not in result.stderr
    return folder


@pytest.fixture(scope="module")
def pages(site):
    found = {path.relative_to(site).as_posix(): Page(path) for path in site.rglob("*.html")}
    del found["404.html"]  # whose links hold wherever it is shown
    return found


def missing(site, pages, page, link):
    """Whether a link of a page to something local leads nowhere."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return False
    target = (site / page).parent / unquote(parts.path) if parts.path else site / page
    target = target.resolve()
    if target.is_dir():
        target /= "index.html"
    if not target.is_file():
        return True
    name = target.relative_to(site.resolve()).as_posix()
    return name in pages and unquote(parts.fragment) not in pages[name].names


def test_every_part_has_its_page(pages):
    parts = {name for name in densecolor.__all__ if inspect.ismodule(getattr(densecolor, name))}
    assert {f"reference/{part}.html" for part in parts} <= set(pages)


def test_every_link_leads_somewhere(site, pages):
    assert len(pages) > 40
    broken = [
        (page, link) for page, it in pages.items() for link in it.links + it.loaded if missing(site, pages, page, link)
    ]
    assert broken == []
    assert missing(site, pages, "index.html", "nothing.html")
    assert missing(site, pages, "index.html", "packing.html#nothing")


def test_nothing_is_loaded_from_elsewhere(site, pages):
    assert [link for page in pages.values() for link in page.loaded if urlsplit(link).netloc] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert not re.findall(r"url\(\s*[\"']?(?:https?:)?//", styles)


def test_every_command_has_its_help(site):
    commands = typer.main.get_command(app).commands
    for verb, command in commands.items():
        text = (site / f"commands/{verb}.html").read_text(encoding="utf-8")
        options = [name for parameter in command.params for name in parameter.opts if name.startswith("--")]
        assert all(option in text for option in options), verb


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("index.html", "Colours for grayscale pictures"),
        ("medical-files.html", "not for diagnosis"),
        ("reference/inference.html", "colorize_with_account"),
        ("reference/dataset.html", "densecolor.dataset.tf_data.load"),
        ("model-table.html", "koalarization_small"),
        ("shard-format.html", "original_size"),
        ("gallery.html", "colorized.jpg"),
    ],
)
def test_pages_hold_what_they_are_for(site, page, words):
    assert words in (site / page).read_text(encoding="utf-8")
