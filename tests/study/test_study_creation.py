import hashlib
import os
import sqlite3
import stat

import cv2
import numpy as np
import pytest
from made_study import make_study
from made_study import rows
from made_study import write_versions

from densecolor import study
from densecolor.errors import DensecolorError
from densecolor.study.database import check_study


def test_pictures_are_copied_exactly_under_names_that_tell_nothing(tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=1)
    assert made.scenes == 5
    pictures = rows(made.folder, "SELECT scene, version, file FROM pictures")
    assert len(pictures) == 15
    for scene, version, name in pictures:
        copy = made.folder / "pictures" / name
        original = cv2.imread(str(tmp_path / "pictures" / version / f"{scene}.png"))
        assert np.array_equal(cv2.imread(str(copy)), original)
        assert scene not in name
        assert version not in name
    files = sorted(os.listdir(made.folder / "pictures"))
    assert files == sorted(name for _, _, name in pictures)
    in_order = [(scene, version) for scene, version, _ in sorted(pictures, key=lambda picture: picture[2])]
    assert in_order != sorted(in_order)


def test_metadata_stay_behind_and_large_pictures_are_reduced(tmp_path, photographs):
    paths = write_versions(tmp_path, photographs)
    for path in paths.values():
        for old in path.glob("*.png"):
            rgb = cv2.imread(str(old))
            _, jpeg = cv2.imencode(".jpg", rgb)
            comment = b"\xff\xfe\x00\x18made by system theirs!"
            (path / f"{old.stem}.jpg").write_bytes(jpeg[:2].tobytes() + comment + jpeg[2:].tobytes())
            old.unlink()
    made = study.new(tmp_path / "study", paths["truth"], {"brown": paths["brown"]}, participants=1, max_side=30)
    for copy in (made.folder / "pictures").iterdir():
        data = copy.read_bytes()
        assert b"theirs" not in data
        assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).shape == (20, 30, 3)


def test_tokens_are_stored_as_hashes_and_for_the_owner_alone(tmp_path, photographs):
    made = make_study(tmp_path, photographs, participants=4)
    assert len(set(made.tokens)) == 4
    stored = {value for (value,) in rows(made.folder, "SELECT token_hash FROM participants")}
    assert stored == {hashlib.sha256(token.encode()).digest() for token in made.tokens}
    assert all(token.encode() not in (made.folder / "study.sqlite").read_bytes() for token in made.tokens)
    assert stat.S_IMODE(made.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((made.folder / "study.sqlite").stat().st_mode) == 0o600


def test_seeds_repeat_the_questions_but_no_token(tmp_path, photographs):
    query = (
        "SELECT participant, position, kind, a.scene, a.version, b.version, expected FROM questions "
        "JOIN pictures a ON a.id = first LEFT JOIN pictures b ON b.id = second"
    )
    one, two = (make_study(tmp_path / name, photographs, participants=3) for name in ("one", "two"))
    assert rows(one.folder, query) == rows(two.folder, query)
    assert not set(one.tokens) & set(two.tokens)


def test_a_study_that_fails_leaves_nothing(tmp_path, photographs):
    paths = write_versions(tmp_path / "pictures", photographs)
    (paths["brown"] / "rocket.png").write_bytes(b"no picture")
    with pytest.raises(DensecolorError, match=r"rocket\.png"):
        study.new(tmp_path / "study", paths["truth"], {"brown": paths["brown"]})
    assert os.listdir(tmp_path) == ["pictures"]


def test_an_interrupted_study_leaves_nothing(tmp_path, photographs):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_study(tmp_path, photographs, progress=interrupt)
    assert os.listdir(tmp_path) == ["pictures"]


def test_a_folder_in_use_is_left_alone(tmp_path, photographs):
    made = make_study(tmp_path, photographs)
    before = (made.folder / "study.sqlite").read_bytes()
    with pytest.raises(DensecolorError, match="not empty"):
        make_study(tmp_path, photographs)
    assert (made.folder / "study.sqlite").read_bytes() == before


def test_pictures_of_another_size_are_refused(tmp_path, photographs):
    paths = write_versions(tmp_path, photographs)
    cv2.imwrite(str(paths["gray"] / "coffee.png"), np.zeros((40, 61, 3), np.uint8))
    with pytest.raises(DensecolorError, match=r"coffee\.png is 61 x 40 pixels.*one size"):
        study.new(tmp_path / "study", paths["truth"], {"gray": paths["gray"]})


def test_pictures_without_a_partner(tmp_path, photographs):
    paths = write_versions(tmp_path, photographs)
    (paths["gray"] / "coffee.png").unlink()
    with pytest.raises(DensecolorError, match="gray has no coffee"):
        study.new(tmp_path / "study", paths["truth"], {"gray": paths["gray"]})
    made = study.new(tmp_path / "study", paths["truth"], {"gray": paths["gray"]}, skip_unmatched=True)
    assert (made.scenes, made.left_out) == (4, 1)


@pytest.mark.parametrize(
    ("systems", "options", "complaint"),
    [
        ({}, {}, "no system"),
        ({"truth": "gray"}, {}, "cannot be called 'truth'"),
        ({"ours": "missing"}, {}, "no folder"),
        ({"ours": "gray"}, {"turing": 0, "pairs": 0, "ratings": 0}, "nothing to ask"),
        ({"ours": "gray"}, {"participants": 0}, "needs participants"),
        ({"ours": "gray"}, {"title": " "}, "title is empty"),
    ],
)
def test_mistakes_are_named(tmp_path, photographs, systems, options, complaint):
    paths = write_versions(tmp_path, photographs)
    systems = {name: tmp_path / folder for name, folder in systems.items()}
    with pytest.raises(DensecolorError, match=complaint):
        study.new(tmp_path / "study", paths["truth"], systems, **options)
    assert not (tmp_path / "study").exists()


def change(folder, statement):
    with sqlite3.connect(folder / "study.sqlite") as connection:
        connection.execute(statement)


def test_databases_of_other_versions_and_others_are_refused(tmp_path, photographs):
    made = make_study(tmp_path, photographs)
    check_study(made.folder)
    change(made.folder, "PRAGMA user_version = 2")
    with pytest.raises(DensecolorError, match=r"format 2, and this densecolor reads format 1.*or a newer one"):
        check_study(made.folder)
    change(made.folder, "PRAGMA user_version = 0")
    with pytest.raises(DensecolorError, match=r"format 0.*made it\.$"):
        check_study(made.folder)
    change(made.folder, "PRAGMA application_id = 7")
    with pytest.raises(DensecolorError, match="not that of a study"):
        check_study(made.folder)


def test_damaged_and_missing_databases_are_refused(tmp_path, photographs):
    made = make_study(tmp_path, photographs)
    path = made.folder / "study.sqlite"
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DensecolorError, match="damaged"):
        check_study(made.folder)
    path.write_bytes(b"something else" * 100)
    with pytest.raises(DensecolorError, match="cannot be read"):
        check_study(made.folder)
    with pytest.raises(DensecolorError, match="no study in"):
        check_study(tmp_path)
