"""What `densecolor-colorize` does with a film."""

import dataclasses
import json

from densecolor.cli.common import progress_bar
from densecolor.cli.common import say
from densecolor.errors import FilmError


def colorize_one_film(paths, output, as_json, for_pictures, **options):
    """Colorize the film that the command names, and say what became of it.

    Args:
        paths: list of str, what the command names.
        output: path.
        as_json: bool, print the result too.
        for_pictures: dict of the options that only pictures have, by name; none may be set.
        options: of `densecolor.film.colorize_film`.

    Raises:
        FilmError: there are more paths than the film's, or an option does not go with films; else see `colorize_film`.
    """
    from densecolor.film import colorize_film

    if len(paths) > 1:
        raise FilmError(f"Films are colorized one at a time. Received: {len(paths)} inputs.")
    given = [name for name, value in for_pictures.items() if value]
    if given:
        raise FilmError(f"{given[0]} is for pictures, not for films.")
    with progress_bar("Colorizing", "frames") as progress:
        result = colorize_film(paths[0], output, progress=progress, note=say, **options)
    if as_json:
        print(json.dumps(dataclasses.asdict(result), indent=1, default=str))
    for damage in result.damaged:
        say(f"left out: {damage}.")
    before = f", {result.resumed:,} of them before" if result.resumed else ""
    say(f"{result.frames:,} frames colorized into {result.output}{before}. {_flicker_of(result)}")


def _flicker_of(result):
    if result.cuts is None:
        return f"Flicker: {result.flicker:.2f}, frame by frame."
    cuts = f"{result.cuts} cut{'s' * (result.cuts != 1)}"
    return f"Flicker: {result.flicker:.2f}, against {result.flicker_alone:.2f} frame by frame; {cuts}."
