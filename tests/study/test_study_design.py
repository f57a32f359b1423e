import collections

import pytest

from densecolor.study.design import design_questions

SCENES = [f"scene{number:02d}" for number in range(24)]
SYSTEMS = ["ours", "theirs"]


def deal(participants=12, checks=0, scenes=SCENES, systems=SYSTEMS, seed=3, **counts):
    counts = counts or {"turing": 8, "pair": 6, "rating": 6}
    return design_questions(scenes, systems, participants, counts, checks, seed)


def of_kind(questions, kind):
    return [question for question in questions if question.kind == kind]


def test_half_of_the_turing_test_are_photographs_and_systems_share_the_rest():
    for questions in deal():
        versions = collections.Counter(question.pictures[0][1] for question in of_kind(questions, "turing"))
        assert versions == {"truth": 4, "ours": 2, "theirs": 2}


def test_every_scene_is_seen_in_every_version_equally_often():
    seen = collections.Counter()
    for questions in deal(participants=12):
        seen.update(question.pictures[0] for question in of_kind(questions, "turing"))
    scenes = {scene for scene, _ in seen}
    assert len(scenes) == 8
    for scene in scenes:
        assert [seen[scene, version] for version in ("truth", "ours", "theirs")] == [6, 3, 3]
    rated = collections.Counter()
    for questions in deal(participants=12):
        rated.update(question.pictures[0] for question in of_kind(questions, "rating"))
    assert len(rated) == 6 * 3
    assert set(rated.values()) == {4}


def test_nobody_sees_a_scene_twice_in_a_section_nor_in_two_while_there_are_enough():
    for questions in deal(participants=7):
        scenes = [question.pictures[0][0] for question in questions]
        assert len(scenes) == len(set(scenes)) == 20


@pytest.mark.parametrize("systems", [["one"], ["one", "two"], ["one", "two", "three"]])
@pytest.mark.parametrize("count", [5, 6, 12])
def test_sides_of_pairs_are_balanced(systems, count):
    pairs = len(systems) * (len(systems) + 1) // 2
    sides = collections.Counter()
    ways = collections.defaultdict(set)
    for questions in deal(participants=2 * pairs, systems=systems, pair=count):
        for question in questions:
            (scene, first), (other, second) = question.pictures
            assert scene == other
            sides[first, second] += 1
            ways[scene, frozenset((first, second))].add(first)
    assert len(sides) == 2 * pairs
    assert set(sides.values()) == {count}  # 2 x pairs participants, `count` each, over 2 x pairs ways
    assert {len(way) for way in ways.values()} == {2}


def test_sections_come_in_order_and_questions_by_chance():
    dealt = deal(participants=8)
    for questions in dealt:
        assert [question.kind for question in questions] == ["turing"] * 8 + ["pair"] * 6 + ["rating"] * 6
    orders = {tuple(question.pictures[0][0] for question in questions) for questions in dealt}
    assert len(orders) == 8


def test_attention_checks_repeat_what_was_just_seen():
    for questions in deal(participants=20, checks=4):
        checks = [place for place, question in enumerate(questions) if question.expected]
        assert [questions[place].kind for place in checks] == ["turing", "turing", "pair", "rating"]
        for place in checks:
            earlier = [question.pictures for question in questions[:place] if question.kind == questions[place].kind]
            assert questions[place].pictures in earlier
        assert questions[checks[-1]].expected in [str(mark) for mark in range(1, 11)]


def test_the_seed_alone_decides():
    assert deal(checks=3) == deal(checks=3)
    assert deal(checks=3) != deal(checks=3, seed=4)


def test_more_questions_than_scenes_become_as_many():
    questions = deal(participants=1, scenes=["cat", "cup"], turing=20, rating=1)[0]
    assert [question.kind for question in questions] == ["turing", "turing", "rating"]
