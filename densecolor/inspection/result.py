"""What `inspect` returns: figures, a table and JSON."""

import dataclasses
import json
from pathlib import Path

import numpy as np

from densecolor.inspection.table import inspection_table


@dataclasses.dataclass(frozen=True)
class Extent:
    """The smallest, the median and the largest of some lengths in pixels."""

    min: int
    median: float
    max: int

    @classmethod
    def of(cls, values):
        """The extent of an array of integers; None where it is empty."""
        if not len(values):
            return None
        return cls(int(values.min()), float(np.median(values)), int(values.max()))


@dataclasses.dataclass(frozen=True)
class ShardSummary:
    """What one shard holds."""

    name: str
    split: str
    count: int  # images
    bytes: int  # size of the file
    labelled: int  # images with a label
    has_masks: bool


@dataclasses.dataclass(frozen=True)
class Inspection:
    """What a packed folder, or a single shard, holds.

    Attributes:
        path: Path.
        image_size: side in pixels.
        class_names: list of str, in label order.
        shards: list of ShardSummary, in the order of the manifest.
        class_counts: dict, split -> list of int, pictures of each class in label order.
        heights, widths: Extent of the pictures before fitting, in pixels; None without pictures.
        options: dict, the packing options.
        rejected: inputs that were not packed; None where `path` is a single shard, which does not know.
        reasons: dict, kind of reason -> number of rejected inputs, most frequent first.
        written: list of Path of the files that were drawn or written.
    """

    path: Path
    image_size: int
    class_names: list
    shards: list
    class_counts: dict
    heights: Extent | None
    widths: Extent | None
    options: dict
    rejected: int | None = None
    reasons: dict = dataclasses.field(default_factory=dict)
    written: list = dataclasses.field(default_factory=list)

    def count(self, split=None):
        """The number of images, of one split or of all."""
        return sum(shard.count for shard in self.shards if split in (None, shard.split))

    @property
    def splits(self):
        """The splits that hold images, in the order of the shards."""
        return list(dict.fromkeys(shard.split for shard in self.shards if shard.count))

    @property
    def bytes(self):
        """Size of all shards together."""
        return sum(shard.bytes for shard in self.shards)

    @property
    def labelled(self):
        """The number of images with a label."""
        return sum(shard.labelled for shard in self.shards)

    def class_rows(self):
        """One dict a class: its label, its name, and its number of pictures in each split."""
        return [
            {"label": label, "name": name, **{split: self.class_counts[split][label] for split in self.splits}}
            for label, name in enumerate(self.class_names)
        ]

    def table(self):
        """The figures as something that a `rich.console.Console` prints; long lists are cut, with a note."""
        return inspection_table(self)

    def to_json(self):
        """The figures as JSON text, all shards and classes included."""
        document = {
            "path": str(self.path),
            "image_size": self.image_size,
            "packed": self.count(),
            "splits": {split: self.count(split) for split in self.splits},
            "labelled": self.labelled,
            "bytes": self.bytes,
            "shards": [dataclasses.asdict(shard) for shard in self.shards],
            "classes": self.class_rows(),
            "original_height": self.heights and dataclasses.asdict(self.heights),
            "original_width": self.widths and dataclasses.asdict(self.widths),
            "options": self.options,
            "rejected": self.rejected,
            "rejected_by_reason": self.reasons,
            "written": [str(path) for path in self.written],
        }
        return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
