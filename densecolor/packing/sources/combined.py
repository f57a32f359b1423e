"""Several sources as one."""

import dataclasses
import os
from pathlib import Path

from densecolor.image_io import decode_image
from densecolor.packing.files import escape_undecodable
from densecolor.packing.files import fixed_part
from densecolor.packing.sources.base import Source
from densecolor.shards.schema import UNLABELLED

PUBLISHED = {"imagenet", "places"}  # layouts whose splits come as files of their own


@dataclasses.dataclass(frozen=True)
class CombinedReader:
    """Reads the pictures of several sources, of which `Entry.source` is the number.

    Attributes:
        readers: tuple of readers.
    """

    readers: tuple

    def locate(self, entry):
        """The place of one picture."""
        return entry.source, self.readers[entry.source].locate(entry)

    def read(self, place, key, decode=decode_image):
        """Decode one picture, as its own reader does."""
        number, place = place
        return self.readers[number].read(place, key, decode)

    def is_there(self, place):
        """Whether the picture's source still exists."""
        number, place = place
        return self.readers[number].is_there(place)


def combine(sources, paths):
    """Make one source of several.

    Keys begin with the name of their source: the last part of its path, for a pattern the last without a wildcard, and
    its number where two are called alike.
    Classes are matched by name; those of the first source keep their labels. Groups are those of the sources: a patient
    may be in several.

    Args:
        sources: list of Source.
        paths: what they were opened from.

    Returns:
        Source.
    """
    sources = _with_common_splits(sources)
    class_names = list(dict.fromkeys(name for source in sources for name in source.class_names))
    labels = {name: label for label, name in enumerate(class_names)}
    entries, refused, readers = [], [], []
    for source, prefix in zip(sources, _names(paths), strict=True):
        new_labels = {old: labels[name] for old, name in enumerate(source.class_names)} | {UNLABELLED: UNLABELLED}
        entries += [
            dataclasses.replace(
                entry,
                key=f"{prefix}/{entry.key}",
                label=new_labels[entry.label],
                source=len(readers) + entry.source,
            )
            for entry in source.entries
        ]
        refused += [(f"{prefix}/{key}", reason) for key, reason in source.refused]
        readers += source.reader.readers if isinstance(source.reader, CombinedReader) else [source.reader]
    return Source(
        layout="+".join(dict.fromkeys(source.layout for source in sources)),
        reader=CombinedReader(tuple(readers)),
        entries=entries,
        class_names=class_names,
        is_private=any(source.is_private for source in sources),
        refused=refused,
    )


def _with_common_splits(sources):
    """Where one of a published data set's tars is training pictures alone, another one may be its validation."""
    divided = {source.layout for source in sources if any(entry.split is not None for entry in source.entries)}
    return [
        dataclasses.replace(source, entries=[dataclasses.replace(e, split=e.split or "train") for e in source.entries])
        if source.layout in divided & PUBLISHED
        else source
        for source in sources
    ]


def _names(paths):
    fixed = [fixed_part(Path(os.path.abspath(path))).name for path in paths]
    names = [escape_undecodable(name) or "source" for name in fixed]
    return [name if names.count(name) == 1 else f"{name}-{number}" for number, name in enumerate(names, 1)]
