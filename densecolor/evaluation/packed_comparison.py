"""Models and baselines over the pictures of a packed split."""

from pathlib import Path

import numpy as np

from densecolor.errors import ImageError
from densecolor.errors import ShardError
from densecolor.evaluation.baselines import baselines
from densecolor.evaluation.pictures import read_picture
from densecolor.evaluation.pictures import spread
from densecolor.evaluation.provenance import describe_data
from densecolor.evaluation.systems import model_systems
from densecolor.shards import open_dataset


class PackedComparison:
    """What `evaluate` compares.

    Attributes:
        systems: list of System, models first.
        count: pictures.
        batch_size: pictures that models colour at once.
        class_names: list of str.
        left_out: list of [key, reason] of what was found damaged before measuring.
    """

    def __init__(self, models, data, split, batch_size, limit, working_size, trust, with_mask, min_side, skip_damaged):
        self.left_out = []
        on_damage = (lambda reason: self.left_out.append(["", reason])) if skip_damaged else None
        self._packed = open_dataset(data, split, on_damage=on_damage)
        if self._packed.image_size < min_side:
            side = self._packed.image_size
            raise ImageError(
                f"The measures need pictures of {min_side} x {min_side} pixels or more, and {data} has {side} x "
                f"{side}. Choose others with `measures` (--measures psnr,mae,info_loss)."
            )
        self._with_mask = with_mask
        if with_mask and self._packed.shard(0).mask is None:
            raise ShardError(f"{data} has no masks, which backgrounds need. Pack it with --masks.")
        self._skips = skip_damaged
        self._indices = spread(self._packed.count, limit)
        self._data = data
        self.count = len(self._indices)
        self.batch_size = batch_size
        self.class_names = self._packed.class_names
        self.systems = model_systems(models, len(self.class_names), trust, working_size)
        self.systems += baselines(data, self._packed, skip_damaged)

    def describe_data(self):
        """What the report says of the data."""
        return describe_data(self._data, self._packed) | {"pictures": self.count}

    def fingerprint(self):
        """What must be equal for parts of two runs to belong together; None where nothing can say it."""
        if any("function" in system.about for system in self.systems):
            return None
        return {"data": str(Path(self._data).resolve()), **self.describe_data(), "batch_size": self.batch_size}

    def batches(self, start, stop):
        """The pictures from start to stop (exclusive), in batches.

        Yields:
            list of functions without arguments, each giving (Picture, answers of the systems, digests); or raising
            what is wrong with the picture.
        """
        for begin in range(start, stop, self.batch_size):
            pictures, broken = [], []
            for index in self._indices[begin : min(begin + self.batch_size, stop)]:
                try:
                    pictures.append(self._read(index))
                except ShardError as error:
                    if not self._skips:
                        raise
                    broken.append(_Broken(error))
            yield [*self._answered(pictures), *broken]

    def _answered(self, pictures):
        if not pictures:
            return []
        lightness = np.stack([picture.lightness for picture in pictures])
        predictions = [system.predict(lightness) for system in self.systems]
        return [_Ready(picture, _of_picture(predictions, i)) for i, picture in enumerate(pictures)]

    def _read(self, index):
        return read_picture(self._packed, index, self._with_mask)

    def show(self, place):
        """(Picture, answers) of the picture at this place."""
        (ready,) = self._answered([self._read(self._indices[place])])
        return ready.picture, ready.answers


def _of_picture(predictions, i):
    return [(ab[i], None if classes is None else int(classes[i])) for ab, classes in predictions]


class _Ready:
    def __init__(self, picture, answers):
        self.picture = picture
        self.answers = answers

    def __call__(self):
        return self.picture, self.answers, []


class _Broken:
    def __init__(self, error):
        self.error = error

    def __call__(self):
        raise self.error
