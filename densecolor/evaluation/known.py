"""Every measure by its name, of whatever part of the evaluator it comes."""

from densecolor.evaluation.backgrounds import COLOURS
from densecolor.evaluation.backgrounds import background_measures
from densecolor.evaluation.measures import MEASURES
from densecolor.evaluation.networks import NETWORK_MEASURES


def measure_named(name):
    """The Measure of this name, as it may stand in rows.

    Raises:
        KeyError: there is none.
    """
    if name in MEASURES:
        return MEASURES[name]
    if name in NETWORK_MEASURES:
        return NETWORK_MEASURES[name]
    background = name.partition("_on_")[2]
    if background in ("", "average"):
        return background_measures("black,white")[name]
    return background_measures([background if background in COLOURS else f"#{background}"])[name]
