"""Films in colour: steady over time, with their sound and their timing."""

from densecolor.film.colorize import FilmResult
from densecolor.film.colorize import colorize_film
from densecolor.film.flicker import Flicker
from densecolor.film.flicker import measure_flicker
from densecolor.film.names import FILM_SUFFIXES
from densecolor.film.names import WRITABLE_FILM_SUFFIXES
from densecolor.film.names import is_film
from densecolor.film.steady import Steady

__all__ = [
    "FILM_SUFFIXES",
    "WRITABLE_FILM_SUFFIXES",
    "FilmResult",
    "Flicker",
    "Steady",
    "colorize_film",
    "is_film",
    "measure_flicker",
]
