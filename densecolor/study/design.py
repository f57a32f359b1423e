"""Who is asked what, in which order: balanced over the participants, and drawn by chance for each of them."""

import itertools
import random
from typing import NamedTuple

from densecolor.study.questions import CHOICES
from densecolor.study.questions import HIGHEST
from densecolor.study.questions import LOWEST
from densecolor.study.questions import PAIR
from densecolor.study.questions import RATING
from densecolor.study.questions import TRUTH
from densecolor.study.questions import TURING


class Question(NamedTuple):
    """One question to one participant."""

    kind: str
    pictures: tuple  # (scene, version) of one picture, or of two in the order in which they are shown
    expected: str | None = None  # an attention check's only right answer


def design_questions(scenes, systems, participants, counts, checks, seed):
    """Deal questions to participants.

    Every participant sees a scene once in a section, and who sees which version of it rotates (a Latin square):

    - Turing test: half are true photographs, the others are shared evenly between the systems.
    - Pairs: all pairs of systems and the truth in turn. Each pair stands as often one way round as the other,
      but for one, in every round of participants, and the sides of each scene are exchanged from round to round.
    - Ratings: all systems and the truth in turn.

    Each section has scenes of its own as long as there are enough. Attention checks repeat the pictures of an earlier
    question of their section, so that they give away nothing.

    Args:
        scenes: list of str, the pictures' names.
        systems: list of str, without the truth.
        participants: number of people.
        counts: dict of kind to the number of questions that each is asked; more than there are scenes become as many.
        checks: attention checks for each participant.
        seed: whatever `random.Random` takes; the same gives the same questions.

    Returns:
        list of list of Question, one list a participant.

    Example:
        >>> design_questions(["cat", "cup"], ["ours"], 1, {"turing": 2}, checks=0, seed=1)[0][0]
        Question(kind='turing', pictures=(('cat', 'truth'),), expected=None)
    """
    chance = random.Random(seed)
    order = list(scenes)
    chance.shuffle(order)
    sections = {}
    start = 0
    for kind, deal in _DEALS.items():
        wanted = min(counts.get(kind, 0), len(order))
        if wanted:
            sections[kind] = (deal, [order[(start + place) % len(order)] for place in range(wanted)])
        start += wanted
    return [_questionnaire(sections, systems, participant, checks, chance) for participant in range(participants)]


def _questionnaire(sections, systems, participant, checks, chance):
    kinds = itertools.cycle(sections)
    where = [next(kinds) for _ in range(checks)] if sections else []
    questions = []
    for kind, (deal, scenes) in sections.items():
        section = [Question(kind, pictures) for pictures in deal(scenes, systems, participant)]
        chance.shuffle(section)
        for _ in range(where.count(kind)):
            place = chance.randint(1, len(section))
            repeated = chance.choice(section[:place]).pictures
            section.insert(place, Question(kind, repeated, _expected(kind, chance)))
        questions += section
    return questions


def _expected(kind, chance):
    if kind == RATING:
        return str(chance.randint(LOWEST, HIGHEST))
    return chance.choice(CHOICES[kind]).value


def _deal_turing(scenes, systems, participant):
    versions = [version for system in systems for version in (TRUTH, system)]
    return [((scene, _turn(versions, place + participant)),) for place, scene in enumerate(scenes)]


def _deal_pairs(scenes, systems, participant):
    pairs = list(itertools.combinations([TRUTH, *systems], 2))
    rounds = participant // len(pairs)
    dealt = []
    for place, scene in enumerate(scenes):
        first, second = _turn(pairs, place + participant)
        if (place + rounds) % 2:
            first, second = second, first
        dealt.append(((scene, first), (scene, second)))
    return dealt


def _deal_ratings(scenes, systems, participant):
    versions = [*systems, TRUTH]
    return [((scene, _turn(versions, place + participant)),) for place, scene in enumerate(scenes)]


def _turn(items, number):
    return items[number % len(items)]


_DEALS = {TURING: _deal_turing, PAIR: _deal_pairs, RATING: _deal_ratings}
