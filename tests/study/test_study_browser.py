"""The study in real browsers, where there is one."""

import glob
import os
import shutil

import pytest
from made_study import make_study
from made_study import rows
from made_study import serving

from densecolor import study

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


def find_chromium():
    """The path of a Chromium or Chrome, or None: the system's, or one that Playwright has fetched."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    fetched = glob.glob(os.path.expanduser("~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    return next(filter(None, [*map(shutil.which, names), *fetched]), None)


CHROMIUM = find_chromium()
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visitor:
    """One person at a browser of their own, who answers by a rule that the pictures decide."""

    def __init__(self, browser, link, **options):
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(0)  # a busy machine is slow, not broken
        self.page = self.context.new_page()
        self.complaints = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(request.url))
        self.page.goto(link)

    def consent(self):
        self.page.get_by_role("button", name="want to take part").click()
        self.reached(1)

    def reached(self, position):
        """Wait for a question without running any script."""
        self.page.locator(f"[name=position][value='{position}']").wait_for(state="attached")
        self.page.wait_for_load_state("load")

    def kind(self):
        self.page.wait_for_load_state("load")
        form = self.page.locator("form.question")
        return form.get_attribute("class").split()[1] if form.count() else None

    def shows_colour(self, place):
        """Whether a picture that is really shown has any colour."""
        return self.page.evaluate(
            """place => {
                const image = document.images[place], canvas = document.createElement("canvas");
                canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
                const context = canvas.getContext("2d");
                context.drawImage(image, 0, 0);
                const data = context.getImageData(0, 0, canvas.width, canvas.height).data;
                for (let i = 0; i < data.length; i += 4)
                    if (data[i] !== data[i + 1] || data[i] !== data[i + 2]) return true;
                return false;
            }""",
            place,
        )

    def answer(self, by):
        """Answer what is shown by mouse or by keys, and wait for what comes next."""
        page, kind = self.page, self.kind()
        position = page.locator("[name=position]").input_value()
        check = page.locator("h1.check")
        wanted = check.inner_text() if check.count() else ""
        colour = self.shows_colour(0)
        if kind == "rating":
            mark = wanted.partition("please answer ")[2].split()[0] if wanted else ("8" if colour else "2")
            if by == "keys":
                page.keyboard.type((mark[-1]) * 3)
                page.keyboard.press("Enter")
            else:
                for place in range(3):
                    page.locator("fieldset").nth(place).get_by_role("radio", name=mark, exact=True).check()
                page.get_by_role("button", name="Next").click()
        else:
            first = colour
            if wanted:
                first = "“Photograph”" in wanted or "“A”" in wanted
            if by == "keys":
                page.keyboard.press("1" if first else "ArrowRight")
            else:
                page.locator(".choices button").nth(0 if first else 1).click()
        page.wait_for_function("old => document.querySelector('[name=position]')?.value !== old", arg=position)


def test_two_at_once_one_of_them_interrupted(browser, tmp_path, photographs):
    """Colour is taken for a photograph, preferred as A, and marked 8; gray for a machine's, and marked 2."""
    made = make_study(tmp_path, photographs, participants=2, turing=3, pairs=2, ratings=2, checks=3)
    with serving(made.folder) as (_, port):
        links = [f"http://127.0.0.1:{port}/s/{token}" for token in made.tokens]
        desk = Visitor(browser, links[0], viewport={"width": 1280, "height": 800})
        phone = Visitor(browser, links[1], viewport={"width": 390, "height": 780})
        desk.consent()
        phone.consent()
        for _ in range(3):
            desk.answer("keys")
            phone.answer("mouse")
        position = phone.page.locator("[name=position]").input_value()
        phone.context.close()
    with serving(made.folder) as (_, port):  # the server was stopped, too
        again = Visitor(browser, f"http://127.0.0.1:{port}/s/{made.tokens[1]}", viewport={"width": 390, "height": 780})
        assert again.page.locator("[name=position]").input_value() == position == "4"
        desk.page.goto(f"http://127.0.0.1:{port}/s/{made.tokens[0]}")
        going = [(desk, "keys"), (again, "mouse")]
        while going:
            for visitor, by in going:
                visitor.answer(by)
            going = [(visitor, by) for visitor, by in going if visitor.kind()]
        for visitor in (desk, again):
            assert "Thank you" in visitor.page.inner_text("body")
            assert visitor.complaints == []
            visitor.context.close()
    assert rows(made.folder, "SELECT count(*) FROM answers") == [(2 * 10,)]
    assert (
        rows(
            made.folder, "SELECT participant, position FROM questions EXCEPT SELECT participant, position FROM answers"
        )
        == []
    )
    found = study.results(made.folder, report=tmp_path / "report")
    assert found.turnout == (2, 2, 2, 0)
    assert found.excluded == {}
    compare_with_hand(made.folder, found)
    look_at_the_report(browser, tmp_path / "report")


def look_at_the_report(browser, folder):
    """It needs no network, and fits a phone."""
    context = browser.new_context(viewport={"width": 390, "height": 700}, offline=True)
    page = context.new_page()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto((folder / "index.html").as_uri())
    assert len(asked) == 1
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    context.close()


def compare_with_hand(folder, found):
    """By the rule, every figure follows from how often which version was shown: gray alone has no colour."""
    real = rows(
        folder,
        "SELECT kind, a.version, b.version FROM questions JOIN pictures a ON a.id = first "
        "LEFT JOIN pictures b ON b.id = second WHERE expected IS NULL",
    )
    for version in ("gray", "brown", "truth"):
        shown = real.count(("turing", version, None))
        share = found.taken_for_photographs[version]
        assert (share.count, share.of) == (0 if version == "gray" else shown, shown)
        count, mean = found.ratings[version]["bleeding"]
        assert count == real.count(("rating", version, None))
        assert mean.value == (2 if version == "gray" else 8)
    wins = {(winner, loser): 0 for winner in found.versions for loser in found.versions}
    for kind, first, second in real:
        if kind == "pair":
            wins[(second, first) if first == "gray" else (first, second)] += 1
    assert found.wins == [[wins[winner, loser] for loser in found.versions] for winner in found.versions]
    assert found.first_chosen.count == sum(kind == "pair" and first != "gray" for kind, first, _ in real)


def test_without_scripts(browser, tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=1, turing=1, pairs=1, ratings=1, checks=0)
    with serving(made.folder) as (_, port):
        link = f"http://127.0.0.1:{port}/s/{made.tokens[0]}"
        visitor = Visitor(browser, link, java_script_enabled=False)
        page = visitor.page
        visitor.consent()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the first button
        visitor.reached(2)
        page.get_by_role("button", name="B", exact=True).click()
        visitor.reached(3)
        page.get_by_role("button", name="Next").click()
        assert page.locator("[name=position]").input_value() == "3"  # the browser asks for the marks first
        for place, mark in enumerate(("10", "1", "5")):
            page.locator("fieldset").nth(place).get_by_role("radio", name=mark, exact=True).check()
        page.get_by_role("button", name="Next").click()
        page.get_by_role("heading", name="Thank you").wait_for()
        visitor.context.close()
    stored = rows(made.folder, "SELECT choice, naturalness, bleeding, colourfulness FROM answers")
    assert stored == [("photograph", None, None, None), ("second", None, None, None), (None, 10, 1, 5)]


def test_nothing_is_cut_off(browser, tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=1, turing=1, pairs=1, ratings=1, checks=0)
    with serving(made.folder) as (_, port):
        visitor = Visitor(browser, f"http://127.0.0.1:{port}/s/{made.tokens[0]}")
        visitor.consent()
        while visitor.kind():
            for width in (320, 390, 800, 1280):
                visitor.page.set_viewport_size({"width": width, "height": 700})
                assert visitor.page.evaluate("document.documentElement.scrollWidth") == width
            visitor.answer("mouse")
        assert visitor.complaints == []
        visitor.context.close()
