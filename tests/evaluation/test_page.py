"""The report as a page, as a browser would read it."""

import base64
import html.parser
import re

import cv2
import numpy as np
import pytest

from densecolor.evaluation import evaluate
from densecolor.evaluation.charts import frequencies
from densecolor.evaluation.classes import class_means
from densecolor.evaluation.page import error_map
from densecolor.evaluation.svg import Curve
from densecolor.evaluation.svg import line_chart

NASTY = '<script>alert("x")</script> & co'
VOID = {"meta", "img", "br", "path"}


class Page(html.parser.HTMLParser):
    """Checks that tags are nested, and gathers what the page shows and asks for."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.attributes, self.text, self.marked = [], [], [], "", []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes
        if tag not in VOID:
            self.open.append((tag, dict(attributes)))

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open.pop()[0] == tag

    def handle_data(self, data):
        if self.open and self.open[-1][0] != "style":
            self.text += data
            if self.open[-1][0] == "td" and "best" in self.open[-1][1].get("class", ""):
                self.marked.append(data.strip())


def tinted(strength):
    return lambda lightness: {"ab": np.full((*lightness.shape[:3], 2), strength)}


@pytest.fixture(scope="module")
def made(packed, tmp_path_factory):
    """(evaluation, text of its page)."""
    folder = tmp_path_factory.mktemp("pages") / "report"
    systems = {NASTY: tinted(0.05), "second": tinted(0.3)}
    options = {"against": "second", "command": "densecolor-evaluate a & b", "measures": "all"}
    evaluation = evaluate(systems, packed, split="train", report=folder, **options)
    return evaluation, (folder / "index.html").read_text(encoding="utf-8")


def test_the_page_is_whole_and_needs_nothing_else(made):
    page = Page(made[1])
    assert page.open == []
    assert not {"script", "link", "iframe"} & set(page.tags)
    assert all(value.startswith("data:") for name, value in page.attributes if name in ("src", "href"))
    assert "http" not in re.sub(r"base64,[^\"]*", "", made[1]).replace("http-equiv", "")
    assert "url(" not in made[1]
    assert "prefers-color-scheme: dark" in made[1]
    assert "@media print" in made[1]


def test_the_page_shows_the_figures_and_where_they_are_from(made):
    evaluation, text = made
    page = Page(text)
    for system in evaluation.systems:
        assert system in page.text
        assert f"{evaluation.results[system]['psnr'].mean:.2f}" in page.text
    shown = (
        "densecolor-evaluate a & b",
        "p, against second",
        "CIEDE2000",
        "Classes, best and worst",
        "rocket",
        "sha256",
    )
    for words in shown:
        assert words in page.text
    for note in evaluation.notes():
        assert note in page.text


def test_the_best_of_each_row_is_marked(made):
    evaluation, text = made
    best = max(evaluation.systems, key=lambda system: evaluation.pooled[system]["ab_auc_rebalanced"])
    marked = Page(text).marked
    assert f"{evaluation.pooled[best]['ab_auc_rebalanced']:.3f}" in marked
    gaps = [evaluation.results[system]["colorfulness_gap"].mean for system in evaluation.systems]
    assert f"{min(gaps):.1f}" in marked
    assert f"{max(gaps):.1f}" not in marked


def test_pictures_are_the_pictures(made):
    _, text = made
    images = re.findall(r'<img class="(\w*)"[^>]*alt="([^"]*)"\s+src="data:image/png;base64,([^"]+)"', text)
    decoded = [(alt, cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), 1)) for _, alt, data in images]
    kinds = [alt for alt, _ in decoded]
    rows = 4 * 2  # best, median, worst, disagreement
    assert kinds.count("input") == kinds.count("truth") == kinds.count("second") == rows
    assert kinds.count("error of second") == rows
    for alt, picture in decoded:
        assert alt == "" or picture.shape == (32, 32, 3)
        if alt == "input":
            assert np.ptp(picture.astype(int), axis=-1).max() == 0


def test_disagreement_is_the_largest_difference(made):
    evaluation, text = made
    first, second = (evaluation.judged(system, "psnr") for system in evaluation.systems[:2])
    place = int(np.nanargmax(np.abs(first - second)))
    section = text[text.index("<h3>Largest disagreement") :]
    assert re.findall(r"<b>truth</b><br>([^<]*)<", section)[0] == evaluation.keys[place]


def test_error_maps_are_dark_where_colours_are_right():
    true = np.full((4, 4, 3), 128, np.uint8)
    pred = true.copy()
    pred[0, 0] = (255, 0, 0)
    errors = error_map(true, pred).astype(int).sum(axis=-1)
    assert errors[0, 0] > 400
    assert errors[1:].max() < 20


def test_charts_count_every_picture(made):
    evaluation, _ = made
    edges, counts = frequencies(evaluation, "info_loss")
    for system, values in counts.items():
        name = "grayscale" if system.startswith("grayscale") else system
        np.testing.assert_array_equal(values, np.histogram(evaluation.columns[name]["info_loss"], edges)[0])
        assert values.sum() == 21


def test_a_logarithmic_curve_breaks_where_there_is_nothing():
    chart = line_chart("t < u", "x", "y", [Curve("c", [0, 1, 2, 3], [0.1, 0, 0.01, 0.1], "s0")], log=True)
    (path,) = re.findall(r'class="line s0"[^>]* d="([^"]*)"', chart)
    assert path.count("M") == 2
    assert "t &lt; u" in chart


def test_classes_are_ranked_by_their_mean(made):
    evaluation, _ = made
    means = class_means(evaluation, "second")
    psnr, labels = evaluation.columns["second"]["psnr"], evaluation.figures.labels
    assert {of.name: of.count for of in means} == {"cat": 7, "coffee": 6, "rocket": 7}
    expected = {name: psnr[labels == i].mean() for i, name in enumerate(("cat", "coffee", "rocket"))}
    assert [of.name for of in means] == sorted(expected, key=expected.get, reverse=True)
    for of_class in means:
        assert of_class.mean == pytest.approx(expected[of_class.name])


def test_tables_in_other_formats(packed, tmp_path):
    systems = {"a_b&c|d": tinted(0.1)}
    evaluation = evaluate(systems, packed, report=tmp_path / "report", measures="psnr,mae", against="grayscale")
    mean = evaluation.results["a_b&c|d"]["psnr"].mean
    markdown = (tmp_path / "report" / "table.md").read_text(encoding="utf-8")
    assert markdown.startswith(r"|  | a_b&c\|d | grayscale | mean colour | truth |")
    assert f"| PSNR, dB ↑ | {mean:.2f} ±" in markdown
    latex = (tmp_path / "report" / "table.tex").read_text(encoding="utf-8")
    assert r"a\_b\&c|d & grayscale" in latex
    assert latex.count(r"\\") == 1 + 5  # head; PSNR, p, gain, MAE, p
    lines = (tmp_path / "report" / "table.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("system,measure,unit,better,count,mean")
    (line,) = [line for line in lines if line.startswith("a_b&c|d,psnr")]
    assert float(line.split(",")[5]) == mean
    assert float(line.split(",")[9]) == evaluation.tests["a_b&c|d"]["psnr"].p
