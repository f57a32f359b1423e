"""The page as a server process: by HTTP, and in a browser where there is one."""

import glob
import io
import os
import shutil
import urllib.parse
import zipfile

import cv2
import numpy as np
import pydicom
import pytest
from made_medical import make_dicom
from made_page import Client
from made_page import serving
from made_pictures import png

from densecolor.color import srgb_to_lab
from densecolor.image_io import decode_image

pytestmark = pytest.mark.slow  # for the start of the server

TOKEN = "a-token-of-twenty-letters"
GUIDED = "models/guided.keras"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """One server for all tests: starting it takes longest."""
    folder = tmp_path_factory.mktemp("page")
    with serving("--token", TOKEN, "--max-megapixels", "1", "--max-megabytes", "4", folder=folder) as address:
        yield address


@pytest.fixture
def client(address):
    client = Client(address)
    yield client
    client.http.close()


def gray_png(photograph, width=96, height=64):
    """A photograph, small and gray, as bytes of a PNG."""
    small = cv2.resize(photograph, (width, height), interpolation=cv2.INTER_AREA)
    return cv2.imencode(".png", cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[1].tobytes()


def is_colored(data):
    """Whether a picture has colours of its own."""
    pixels = decode_image(data, "result").pixels
    return pixels.ndim == 3 and bool((pixels.max(axis=-1) > pixels.min(axis=-1)).any())


def zip_bomb():
    """A zip that unpacks into 8 MB."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", bytes(8_000_000))
    return packed.getvalue()


def test_a_picture_keeps_its_lightness_and_gets_colours(client, photographs):
    data = gray_png(photographs["coffee.png"])
    shown, error = client.colorize(client.upload("coffee cup.png", data), saturation=1.5)
    assert error is None
    result = client.fetch(shown["download"]["value"])
    gray, rgb = decode_image(data, "gray").pixels, decode_image(result.content, "result").pixels
    expected = srgb_to_lab(np.repeat(gray[..., None], 3, axis=-1))[..., 0]
    assert np.abs(srgb_to_lab(rgb)[..., 0] - expected).max() < 1
    before, after = (client.fetch(each).content for each in shown["slider"])
    assert is_colored(after)
    assert not is_colored(before)
    assert shown["mask"]["visible"] is False


def test_a_batch_is_a_zip_of_unique_names_and_names_what_failed(client, photographs):
    data = gray_png(photographs["rocket.jpg"])
    names = ["../../a.png", "a.png", "no picture.png"]
    paths = [client.upload(name, data if "a" in name[-6:] else b"GIF8 is none") for name in names]
    shown, error = client.colorize(*paths, samples=2)
    assert error is None
    with zipfile.ZipFile(io.BytesIO(client.fetch(shown["download"]["value"]).content)) as archive:
        assert archive.namelist() == ["a-1.png", "a-2.png", "a-2-1.png", "a-2-2.png"]
        pictures = [archive.read(name) for name in archive.namelist()]
    assert all(map(is_colored, pictures))
    assert pictures[0] == pictures[2] != pictures[1]
    assert [each["caption"] for each in shown["gallery"]["value"]] == ["a-1.png", "a-2.png", "a-2-1.png", "a-2-2.png"]
    assert shown["messages"]["value"].startswith("no picture.png: ")


@pytest.mark.parametrize(
    ("name", "make", "reason"),
    [
        ("a.png", lambda: b"no picture at all", "not a picture of a known format"),
        ("a.png", lambda: b"", "the file is empty"),
        ("a.png", lambda: png(10_000, 10_000), "10000 x 10000 is more than"),
        ("a.zip", zip_bomb, "files of this kind are not taken"),
        ("a.png", zip_bomb, "not a picture of a known format"),
        ("a.py", lambda: b"import os", "files of this kind are not taken"),
        ("<img src=x>.png", lambda: b"a", "not a picture of a known format"),
        ("a.dcm", lambda: make_dicom(np.zeros((9, 400, 400), np.uint8), frames=9), "has 1,440,000 pixels"),
    ],
)
def test_hostile_uploads_are_answered_by_a_message(client, name, make, reason):
    shown, error = client.colorize(client.upload(name, make()))
    assert shown is None
    assert reason in error
    assert "<" not in error
    assert "/tmp" not in error


def test_what_is_too_large_is_refused(client):
    assert client.upload("a.png", bytes(5_000_000)).status_code == 413


def test_only_uploads_are_read_and_served(client):
    _, refused = client.colorize("/etc/passwd")
    assert refused.status_code == 403
    _, refused = client.colorize("http://127.0.0.1:1/a.png")
    assert refused.status_code == 403
    assert client.http.get("/gradio_api/file=/etc/passwd").status_code == 403


def test_options_that_do_not_fit_are_messages(client, photographs):
    path = client.upload("a.png", gray_png(photographs["rocket.jpg"]))
    for changed, reason in [
        ({"first": 40.0, "second": 400.0}, "`window` is for DICOM"),
        ({"hints": "500,1,#ff0000"}, "is outside of the picture"),
        ({"hints": "everywhere red"}, "is no hint"),
        ({"temperature": 7.0}, "`temperature` must be above 0"),
        ({"model": GUIDED, "samples": 3}, "has one colouring for a picture"),
    ]:
        shown, error = client.colorize(path, **changed)
        assert shown is None
        assert reason in error


def test_the_mask_and_hints(client, photographs):
    path = client.upload("a.png", gray_png(photographs["rocket.jpg"]))
    shown, error = client.colorize(path, model=GUIDED, hints="5,5,#e01010\n90,60,#1010e0")
    assert error is None
    assert is_colored(client.fetch(shown["mask"]["value"]).content)
    rgb = decode_image(client.fetch(shown["download"]["value"]).content, "result").pixels.astype(int)
    assert rgb[5, 5, 0] - rgb[5, 5, 2] > 10
    assert rgb[60, 90, 2] - rgb[60, 90, 0] > 10


def test_a_medical_file_goes_out_as_it_came_in(client):
    values = np.arange(2 * 24 * 24, dtype=np.uint16).reshape(2, 24, 24)
    data = make_dicom(values, frames=2, PatientName="Zweistein^Albertine")
    shown, error = client.colorize(client.upload("scan.dcm", data), first=576.0, second=1152.0, identity=False)
    assert error is None
    colors = pydicom.dcmread(io.BytesIO(client.fetch(shown["download"]["value"]).content))
    assert (colors.NumberOfFrames, colors.PhotometricInterpretation) == (2, "RGB")
    assert "PatientName" not in colors or not colors.PatientName
    assert is_colored(client.fetch(shown["slider"][1]).content)


def find_chromium():
    """The path of a Chromium or Chrome, or None: the system's, or one that Playwright has fetched."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    fetched = glob.glob(os.path.expanduser("~/.cache/ms-playwright/chromium-*/chrome-linux*/chrome"))
    return next(filter(None, [*map(shutil.which, names), *fetched]), None)


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this machine")
def test_in_a_browser(address, photographs, tmp_path):
    """Drop, colorize, compare, choose, download; a hostile file; a phone; and nobody else is asked for anything."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    files = []
    for name in ("coffee.png", "chelsea.png"):
        files.append(tmp_path / name)
        files[-1].write_bytes(gray_png(photographs[name], 300, 200))
    hostile = tmp_path / "hostile.png"
    hostile.write_bytes(b"<script>alert(1)</script>")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        context.set_default_timeout(0)  # a busy machine is slow, not broken
        page = context.new_page()
        asked, complaints = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
        page.goto(address)
        go = page.get_by_role("button", name="Colorize", exact=True)
        go.click()
        page.get_by_text("There is no picture yet").wait_for()

        page.locator("#pictures input[type=file]").set_input_files(files)
        page.get_by_text("chelsea").first.wait_for()
        go.click()
        page.locator("#gallery img").nth(1).wait_for()
        wait_until_shown(page, "#slider img", 2)
        first = page.locator("#slider img").nth(1).get_attribute("src")
        page.locator("#gallery button.thumbnail-item, #gallery .thumbnail-item").nth(1).click()
        page.wait_for_function("src => document.querySelectorAll('#slider img')[1].src !== src", arg=first)
        with page.expect_download() as downloading:
            page.locator("#download").click()
        with zipfile.ZipFile(downloading.value.path()) as archive:
            assert archive.namelist() == ["coffee.png", "chelsea.png"]

        page.set_viewport_size({"width": 390, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        page.locator("#pictures button[aria-label='Clear']").first.click()
        page.locator("#pictures input[type=file]").set_input_files([hostile])
        page.get_by_text("hostile").first.wait_for()
        go.click()
        page.get_by_text("hostile.png: not a picture").wait_for()
        browser.close()
    assert {urllib.parse.urlsplit(url).netloc for url in asked if not url.startswith(("blob:", "data:"))} == {
        urllib.parse.urlsplit(address).netloc
    }
    assert complaints == []


def wait_until_shown(page, selector, count):
    """Wait until so many pictures are really shown."""
    page.wait_for_function(
        "([selector, count]) => [...document.querySelectorAll(selector)].filter(image => image.naturalWidth).length "
        ">= count",
        arg=[selector, count],
    )
