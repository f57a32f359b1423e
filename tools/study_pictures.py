"""Draw docs/study.md's pictures: questions in Chromium, and results of invented answers.

    python tools/study_pictures.py OUT [CHROMIUM]

OUT gets study-question.jpg, study-results.png and the report that it shows. The photographs are freely
licensed (h5data/README.md), the two "systems" are gray and the photographs' mean colour; nobody was asked.
"""

import math
import queue
import random
import shutil
import sys
import tempfile
import threading
from pathlib import Path

import cv2
import numpy as np
from playwright.sync_api import sync_playwright
from sample_photographs import TRAIN
from sample_photographs import VALIDATION
from sample_photographs import find

from densecolor import study
from densecolor.color import lab_to_srgb
from densecolor.color import map_to_gamut
from densecolor.color import srgb_to_lab
from densecolor.image_io import read_image
from densecolor.image_io import write_image
from densecolor.study.database import connect
from densecolor.study.participation import give_consent
from densecolor.study.participation import store_answer

SIDE = 640  # pixels of the longer side
PEOPLE = 12
APPEAL = {"gray": -1.4, "mean colour": -0.6, "truth": 1.4}  # how the invented people see versions
SCENES = {"turing": "chelsea", "pair": "china"}  # that the picture of the questions shows
HEIGHT = 720
RESULTS = {"x": 0, "y": 0, "width": 1000, "height": 1535}  # of the page, pixels


def write_versions(folder):
    """Write the photographs, and what the two systems make of them; returns the folders by version."""
    photographs = {}
    for name in (*TRAIN, *VALIDATION):
        rgb = read_image(find(name)).pixels[..., :3]
        scale = SIDE / max(rgb.shape[:2])
        photographs[Path(name).stem] = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mean = np.mean([srgb_to_lab(rgb)[..., 1:].mean(axis=(0, 1)) for rgb in photographs.values()], axis=0)
    folders = {version: folder / version for version in APPEAL}
    for path in folders.values():
        path.mkdir()
    for name, rgb in photographs.items():
        lab = srgb_to_lab(rgb)
        write_image(folders["truth"] / f"{name}.png", rgb)
        write_image(folders["gray"] / f"{name}.png", lab_to_srgb(lab * np.float32([1, 0, 0])))
        lab[..., 1:] = mean
        write_image(folders["mean colour"] / f"{name}.png", lab_to_srgb(map_to_gamut(lab)))
    return folders


def invent_answers(folder):
    """Answer for everybody but the last; one of them does not read."""
    chance = random.Random(0)
    with connect(folder) as connection:
        for person in range(1, PEOPLE):
            give_consent(connection, person)
            questions = connection.execute(
                "SELECT position, kind, expected, a.version AS first, b.version AS second FROM questions "
                "JOIN pictures a ON a.id = first LEFT JOIN pictures b ON b.id = second WHERE participant = ?",
                (person,),
            ).fetchall()
            for question in questions:
                reads = question["expected"] if person != 4 else None
                store_answer(connection, person, question["position"], invent_answer(question, reads, chance))


def invent_answer(question, expected, chance):
    """One answer by the appeal of what is shown."""

    def says_yes(odds):
        return chance.random() < 1 / (1 + math.exp(-odds))

    appeal = APPEAL[question["first"]]
    if question["kind"] == "turing":
        return {"choice": expected or ("photograph" if says_yes(appeal) else "machine")}
    if question["kind"] == "pair":
        return {"choice": expected or ("first" if says_yes(appeal - APPEAL[question["second"]]) else "second")}
    slopes = {"naturalness": (5.5, 1.8), "bleeding": (7, 1), "colourfulness": (5, 2.2)}
    marks = {name: middle + slope * appeal + chance.gauss(0, 1.5) for name, (middle, slope) in slopes.items()}
    return {name: int(expected or min(10, max(1, round(mark)))) for name, mark in marks.items()}


def photograph_questions(browser, folder, link):
    """The Turing test on a phone and a pair on a desk, side by side, uint8 (HEIGHT, W, 3)."""
    shots = {}
    page = browser.new_page()
    page.goto(link)
    page.get_by_role("button", name="take part").click()
    while page.locator("form.question").count():
        page.wait_for_load_state("load")
        position = int(page.locator("[name=position]").input_value())
        kind, scene = question_at(folder, position)
        if SCENES.get(kind) == scene:
            page.set_viewport_size({"width": 390 if kind == "turing" else 1180, "height": HEIGHT})
            data = np.frombuffer(page.screenshot(), np.uint8)
            shots.setdefault(kind, cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB))
        answer = {"choice": "machine" if kind == "turing" else "first"}
        with connect(folder) as connection:
            store_answer(connection, PEOPLE, position, answer)
        if set(shots) == set(SCENES):
            break
        page.goto(link)
    gap = np.full((HEIGHT, 16, 3), 255, np.uint8)
    return np.concatenate([shots["pair"], gap, shots["turing"]], axis=1)


def question_at(folder, position):
    """(kind, scene) of a question to the last participant; attention checks have no scene."""
    with connect(folder) as connection:
        kind, expected, scene = connection.execute(
            "SELECT kind, expected, scene FROM questions JOIN pictures ON id = first "
            "WHERE participant = ? AND position = ?",
            (PEOPLE, position),
        ).fetchone()
    return kind, None if expected else scene


def main(out, chromium):
    """Draw both pictures."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        scratch = Path(scratch)
        folders = write_versions(scratch)
        truth = folders.pop("truth")
        made = study.new(scratch / "study", truth, folders, participants=PEOPLE, turing=9, pairs=9, ratings=6, seed=3)
        invent_answers(made.folder)
        addresses = queue.Queue()
        serving = {"port": 0, "ready": addresses.put}
        threading.Thread(target=study.serve, args=(made.folder,), kwargs=serving, daemon=True).start()
        browser = playwright.chromium.launch(executable_path=chromium)
        link = f"{addresses.get()}/s/{made.tokens[-1]}"
        shown = photograph_questions(browser, made.folder, link)[..., ::-1]
        cv2.imwrite(str(out / "study-question.jpg"), shown, [cv2.IMWRITE_JPEG_QUALITY, 85])
        study.results(made.folder, report=out / "report", command=f"python tools/study_pictures.py {out.name}")
        page = browser.new_page(viewport={"width": 1100, "height": 1000})
        page.goto((out / "report" / "index.html").resolve().as_uri())
        page.screenshot(path=out / "study-results.png", full_page=True, clip=RESULTS)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    main(Path(sys.argv[1]), sys.argv[2] if len(sys.argv) == 3 else shutil.which("chromium"))
