"""How much colours flicker.

Flicker is the mean, over all pixels and pairs of neighbouring frames, of the distance in a and b between a pixel and
the same thing one frame before: where the optical flow of the lightness says that it was. Pixels that were not seen
before and pairs with a cut between them do not count. It is 0 for colours that stick to things, whatever these are. The
idea of the measure, the warping error, is that of Lai et al., "Learning Blind Video Temporal Consistency", ECCV 2018,
who take R, G and B; here it is chroma alone, since lightness is the film's own.
"""

import numpy as np

from densecolor.film.grid import grid_of
from densecolor.film.motion import MotionFinder
from densecolor.film.reading import open_film

SEEN = 0.4  # a frame of which less was seen before begins a scene


class Flicker:
    """Flicker of colours whose motion is known, added up frame by frame.

    Example:
        >>> flicker = Flicker()
        >>> flicker.add(motion, ab_before, ab_now)
        >>> flicker.value
        0.83
    """

    def __init__(self, total=0.0, pixels=0):
        self.total = total
        self.pixels = pixels

    def add(self, motion, before, now):
        """Add a pair of frames.

        Args:
            motion: `densecolor.film.motion.Motion`.
            before: float32 (h, w, 2), a and b.
            now: likewise.
        """
        distance = np.linalg.norm(now - motion.bring(before), axis=-1)
        self.total += float(distance[motion.visible].sum(dtype=np.float64))
        self.pixels += int(motion.visible.sum())

    @property
    def value(self):
        """The mean distance in a and b; 0 where nothing was added."""
        return self.total / max(self.pixels, 1)


def measure_flicker(film, reference=None):
    """The flicker of a film.

    Args:
        film: path.
        reference: path of the film whose lightness tells the motion, frame for frame: the gray original, say. None
            takes the film itself.

    Returns:
        float, in units of a and b.

    Raises:
        FilmError: one of them is no film, is damaged, or has fewer frames.

    Example:
        >>> measure_flicker("colour.mp4", "gray.mp4")
        0.41
    """
    finder, flicker = MotionFinder(), Flicker()
    before = None
    with open_film(film) as colored, open_film(reference or film) as moving:
        for frame, other in zip(colored.frames(), moving.frames(), strict=True):
            ab = grid_of(frame.rgb)[..., 1:]
            lightness = np.ascontiguousarray(grid_of(other.rgb)[..., 0])
            if before is not None:
                motion = finder.find(before[0], lightness)
                if motion.visible.mean() >= SEEN:
                    flicker.add(motion, before[1], ab)
            before = lightness, ab
    return flicker.value
