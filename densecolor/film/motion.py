"""Where each pixel of a frame was in the frame before.

Optical flow by dense inverse search: Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search",
ECCV 2016, as OpenCV has it. What is newly seen is found by following the flow there and back: Sundaram, Brox, Keutzer,
"Dense Point Trajectories by GPU-accelerated Large Displacement Optical Flow", ECCV 2010.
"""

import dataclasses

import cv2
import numpy as np

# OpenCV's search needs its patches of 8 pixels to fit into a frame that is halved twice, and crashes where they do not;
# smaller frames are taken to stand still.
LEAST_SIDE = 32
# There and back again a pixel may miss its place by this, squared: a share of the squared ways, and some pixels.
SHARE, PIXELS = 0.01, 0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Motion:
    """From one frame to the next.

    Attributes:
        where: float32 (h, w, 2), x and y in the frame before.
        visible: bool (h, w), what was seen there already.
        error: float32 (h, w), by how much the lightness of what is brought from there differs.
    """

    where: np.ndarray
    visible: np.ndarray
    error: np.ndarray

    def bring(self, values):
        """Values of the frame before, brought to their places in this one.

        Args:
            values: float32 (h, w) or (h, w, channels).

        Returns:
            the same shape.
        """
        values = np.ascontiguousarray(values)
        return cv2.remap(values, self.where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


class MotionFinder:
    """Finds the motion between frames of one size."""

    def __init__(self):
        self._search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)

    def find(self, before, now):
        """The motion between two frames.

        Args:
            before: float32 (h, w), L.
            now: likewise.

        Returns:
            `Motion`.
        """
        height, width = now.shape
        places = np.dstack(np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32)))
        if min(height, width) < LEAST_SIDE:
            return Motion(places, np.ones((height, width), bool), np.abs(now - before))
        frames = [np.rint(lightness * 2.55).astype(np.uint8) for lightness in (before, now)]
        back = self._search.calc(frames[1], frames[0], None)
        forth = self._search.calc(frames[0], frames[1], None)
        where = places + back
        returned = cv2.remap(forth, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        miss = _squared(back + returned)
        inside = (where >= 0).all(-1) & (where <= (width - 1, height - 1)).all(-1)
        visible = inside & (miss <= SHARE * (_squared(back) + _squared(returned)) + PIXELS)
        brought = cv2.remap(before, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return Motion(where, visible, np.abs(now - brought))


def _squared(vectors):
    return (vectors * vectors).sum(axis=-1)
