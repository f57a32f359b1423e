"""The three kinds of questions, and how they are put to people."""

from typing import NamedTuple

TRUTH = "truth"  # the version of a picture that no system has coloured

TURING = "turing"
PAIR = "pair"
RATING = "rating"
KINDS = (TURING, PAIR, RATING)  # in the order in which they are asked: whoever has compared pictures knows too much

PHOTOGRAPH = "photograph"
MACHINE = "machine"
FIRST = "first"
SECOND = "second"
LOWEST, HIGHEST = 1, 10


class Choice(NamedTuple):
    """An answer that is given by one button."""

    value: str
    label: str


class Scale(NamedTuple):
    """Something that is rated from 1 to 10."""

    name: str  # of the column that stores it
    heading: str  # in results
    question: str
    low: str  # what 1 means
    high: str  # what 10 means


CHOICES = {
    TURING: (Choice(PHOTOGRAPH, "Photograph"), Choice(MACHINE, "Colorized by a machine")),
    PAIR: (Choice(FIRST, "A"), Choice(SECOND, "B")),
}
SCALES = (
    Scale("naturalness", "Naturalness", "How natural do the colours look?", "not at all", "completely"),
    Scale(
        "bleeding",
        "Bleeding removal",
        "How well do colours stay inside the things they belong to?",
        "they run everywhere",
        "perfectly",
    ),
    Scale("colourfulness", "Colourfulness", "How colourful is the picture?", "gray", "very colourful"),
)
HEADINGS = {
    TURING: "Is this a photograph, or was it colorized by a machine?",
    PAIR: "Which picture looks more natural?",
    RATING: "How good are these colours?",
}
HELP = {
    TURING: "Some pictures have the colours that the camera saw, others were gray and a machine has made up their "
    "colours. Judge by the colours alone.",
    PAIR: "Both show the same scene, and only their colours differ.",
    RATING: "Give each a mark from 1 to 10.",
}
TITLES = {TURING: "Turing test", PAIR: "Pairs", **{scale.name: scale.heading for scale in SCALES}}  # in results
SECONDS = {TURING: 6, PAIR: 7, RATING: 18}  # a guess, for the duration that the first page promises


def check_instruction(kind, expected):
    """What an attention check asks for, in place of the question's heading."""
    if kind == RATING:
        return f"This one only checks that questions are read: please answer {expected} three times."
    label = next(choice.label for choice in CHOICES[kind] if choice.value == expected)
    return f"This one only checks that questions are read: please answer “{label}”, whatever you see."
