import json
import stat

import pytest
import typer.testing
from typer.main import get_command

from densecolor.cli.main import app
from densecolor.cli.study import study


@pytest.fixture
def folders(tmp_path, photographs):
    import cv2

    for name in ("truth", "ours"):
        (tmp_path / name).mkdir()
        for photo in ("coffee.png", "rocket.jpg"):
            small = cv2.resize(photographs[photo], (30, 20), interpolation=cv2.INTER_AREA)
            cv2.imwrite(str(tmp_path / name / photo), small)
    return tmp_path


def run(*arguments):
    return typer.testing.CliRunner().invoke(study, [str(argument) for argument in arguments])


def run_new(folders, *options):
    paths = ("--truth", folders / "truth", "--system", f"ours={folders / 'ours'}")
    return run("new", folders / "study", *paths, *options)


def test_links_are_printed_once(folders):
    result = run_new(folders, "--participants", 3, "--address", "https://colours.example/")
    assert result.exit_code == 0, result.output
    links = result.stdout.split()
    assert len(set(links)) == 3
    assert all(link.startswith("https://colours.example/s/") for link in links)
    assert "2 pictures; 9 questions to each participant (3 turing, 3 pair, 3 rating)." in result.stderr
    assert "Next: densecolor-study serve" in result.stderr


def test_links_in_a_file_are_private(folders):
    result = run_new(folders, "--participants", 2, "--links", folders / "links.txt")
    assert result.exit_code == 0, result.output
    assert result.stdout == ""
    assert len((folders / "links.txt").read_text().splitlines()) == 2
    assert stat.S_IMODE((folders / "links.txt").stat().st_mode) == 0o600
    again = run_new(folders, "--links", folders / "links.txt")
    assert again.exit_code == 2
    nowhere = run_new(folders, "--links", folders / "nowhere" / "links.txt")
    assert nowhere.exit_code == 2


def test_json(folders):
    result = run_new(folders, "--participants", 1, "--checks", 0, "--ratings", 0, "--json")
    document = json.loads(result.stdout)
    assert document["questions"] == {"turing": 2, "pair": 2, "rating": 0}
    assert len(document["links"]) == 1


def test_mistakes_are_told_in_one_line(folders):
    (folders / "ours" / "rocket.jpg").unlink()
    result = run_new(folders)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "has no rocket" in result.stderr
    assert result.stderr.count("\n") == 1
    served = run("serve", folders / "truth")
    assert served.exit_code == 1
    assert "no study in" in served.stderr


def test_a_consent_text_that_is_no_text(folders):
    (folders / "consent.txt").write_bytes(b"\xff\xfe\x00")
    result = run_new(folders, "--consent", folders / "consent.txt")
    assert result.exit_code == 1
    assert "consent.txt is not text in UTF-8" in result.stderr


@pytest.mark.parametrize(("system", "complaint"), [("ours", "no NAME=DIR"), ("=ours", "no NAME=DIR")])
def test_usage_errors(folders, system, complaint):
    result = run("new", folders / "study", "--truth", folders / "truth", "--system", system)
    assert result.exit_code == 2
    assert complaint in " ".join(result.stderr.replace("│", " ").split())


def test_a_port_that_is_taken_is_told(folders):
    import socket

    assert run_new(folders).exit_code == 0
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = run("serve", folders / "study", "--port", taken.getsockname()[1])
    assert result.exit_code == 1
    assert "Choose another --host or --port." in result.stderr


def test_it_is_a_verb_of_densecolor():
    assert set(get_command(app).commands["study"].commands) == set(get_command(study).commands)


def test_results_as_tables_json_and_a_report(folders):
    from densecolor.study.database import connect
    from densecolor.study.participation import give_consent
    from densecolor.study.participation import store_answer

    assert run_new(folders, "--participants", 1, "--checks", 0, "--turing", 2).exit_code == 0
    empty = run("results", folders / "study")
    assert empty.exit_code == 1
    assert "Nobody has answered" in empty.stderr
    with connect(folders / "study") as connection:
        give_consent(connection, 1)
        for position, answer in enumerate([{"choice": "machine"}] * 2 + [{"choice": "first"}] * 2, 1):
            store_answer(connection, 1, position, answer)
    result = run("results", folders / "study", "--report", folders / "report")
    assert result.exit_code == 0, result.output
    for text in (
        "Turing test",
        "taken for a photograph",
        "ours",
        "all systems",
        "0.0\N{NO-BREAK SPACE}%",
        "Krippendorff's alpha",
    ):
        assert text in result.stdout
    assert "1 of 1 people took part, 0 to the end" in result.stderr
    assert (folders / "report" / "index.html").is_file()
    document = json.loads(run("results", folders / "study", "--json").stdout)
    assert document["turing"]["all systems"]["of"] == 1
