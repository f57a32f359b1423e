"""Colours that stay: each frame's prediction joins what the frames before said of the same things.

Every pixel carries the mean of the colours that were predicted for it so far, and how many frames that mean counts for.
Both move with the picture. Where the moved frame does not look like the new one, the past counts less, and where
something is newly seen, not at all. The mean counts for no more than `MEMORY` frames, so that colours can change slowly
and errors of motion fade. At a cut between scenes all is forgotten.
"""

import cv2
import numpy as np

from densecolor.film.motion import MotionFinder

MEMORY = 24.0  # frames
ERROR = 12.0  # of L: where the moved lightness is off by so much, 1/e of the past is kept
AROUND = 5  # pixels: that error is the mean of so many squared, since grain and fine edges are off by themselves
CUT = 0.4  # a frame of which less than this was seen before begins a scene


class Steady:
    """Makes the colours of a film steady, frame by frame.

    Attributes:
        cuts: int, how many cuts between scenes were found.
    """

    def __init__(self):
        self.cuts = 0
        self._finder = MotionFinder()
        self._lightness = self._past = None

    def next(self, lightness, ab):
        """The colours of the next frame.

        Args:
            lightness: float32 (h, w), L of the frame; all frames are of one size.
            ab: float32 (h, w, 2), a and b as predicted for it.

        Returns:
            (ab, motion): float32 (h, w, 2), and the `Motion` from the frame before, None where a scene begins.
        """
        motion = trust = None
        if self._lightness is not None:
            motion = self._finder.find(self._lightness, lightness)
            error = cv2.blur(motion.error, (AROUND, AROUND))
            trust = np.exp(-((error / ERROR) ** 2)) * motion.visible
            if trust.mean() < CUT:
                self.cuts += 1
                motion = None
        self._lightness = lightness
        if motion is None:
            self._past = np.dstack([ab, np.ones_like(lightness)])
            return ab, None
        past = motion.bring(self._past)
        count = (np.minimum(past[..., 2], MEMORY) * trust)[..., None]
        steady = (past[..., :2] * count + ab) / (count + 1)
        self._past = np.dstack([steady, count + 1])
        return steady, motion

    def state(self):
        """What `restore` needs to go on from here: dict of arrays."""
        if self._lightness is None:
            return {"cuts": np.array(self.cuts)}
        return {"cuts": np.array(self.cuts), "lightness": self._lightness, "past": self._past}

    def restore(self, state):
        """Go on from where `state` was taken."""
        self.cuts = int(state["cuts"])
        self._lightness, self._past = state.get("lightness"), state.get("past")
