"""Layout `pairs`: two folders, the lightness from one (CT), the colour from the other (cryosections)."""

import collections
import posixpath

from densecolor.errors import ImageError
from densecolor.errors import require_package
from densecolor.image_io import DEFAULT_MAX_PIXELS
from densecolor.image_io import decode_image
from densecolor.image_io.dicom import is_dicom
from densecolor.image_io.medical import check_window
from densecolor.packing.files import escape_undecodable
from densecolor.packing.readers import Sample
from densecolor.packing.sources.base import Entry
from densecolor.packing.sources.base import Source
from densecolor.packing.sources.base import is_image_name
from densecolor.packing.sources.dicom import is_dicom_name
from densecolor.packing.sources.dicom import may_be_dicom
from densecolor.packing.sources.dicom import open_without_text
from densecolor.packing.sources.dicom import patient_of
from densecolor.packing.sources.medical import refused_files
from densecolor.packing.sources.medical import suffix_of

ASPECT_TOLERANCE = 0.01
LIGHTNESS_PREFIX = "lightness/"  # of the keys of pictures that have a lightness but no colour


class PairReader:
    """Reads the two pictures of a pair.

    Args:
        lightness_files: where the bytes of the lightness are; see `densecolor.packing.files`.
        color_files: where those of the colour are.
        window: (centre, width) for DICOM, or None for the files' own.
        max_pixels: larger DICOM pictures are refused.
        pairs: dict, path of an entry -> (name among the lightness files or None, name among the colour files or None).
            It stays in the parent process.
    """

    def __init__(self, lightness_files, color_files, window=None, max_pixels=DEFAULT_MAX_PIXELS, pairs=None):
        self.lightness_files = lightness_files
        self.color_files = color_files
        self.window = window
        self.max_pixels = max_pixels
        self._pairs = pairs

    def __reduce__(self):
        return PairReader, (self.lightness_files, self.color_files, self.window, self.max_pixels)

    def locate(self, entry):
        """The places of the lightness and of the colour; None where there is no picture of the same name."""
        lightness, color = self._pairs[entry.path]
        if lightness is None or color is None:
            return None
        return self.lightness_files.place(lightness), self.color_files.place(color)

    def read(self, place, key, decode=decode_image):
        """Decode one pair.

        Returns:
            Sample, with its lightness apart.

        Raises:
            ImageError: one of them is missing, damaged or too large, or their aspect ratios differ.
            OSError: one of them cannot be read.
        """
        if place is None:
            raise ImageError(f"{key}: there is no picture of the same name in the other folder.")
        lightness_place, color_place = place
        lightness = self._decode(self.lightness_files.read(lightness_place), key, decode)
        picture = self._decode(self.color_files.read(color_place), key, decode)
        _check_aspect(key, lightness.original_size, picture.original_size)
        return Sample(picture, lightness)

    def _decode(self, data, key, decode):
        if not is_dicom(data):
            return decode(data, key)
        file = open_without_text(data, key, self.max_pixels)
        if file.header.frames > 1:
            raise ImageError(f"{key}: it has several frames, so that it is unclear which one belongs to the other.")
        return file.picture(key, window=self.window)

    def is_there(self, place):
        """Whether both sources still exist."""
        lightness_place, color_place = place
        return self.lightness_files.is_there(lightness_place) and self.color_files.is_there(color_place)


def list_pairs(lightness, color, window=None, max_pixels=DEFAULT_MAX_PIXELS):
    """List the pictures of two folders or archives as pairs.

    Pictures belong together that have the same path but for its suffix, else the same name but for its suffix,
    if no other picture of either folder has it. What has no counterpart is listed too, and rejected when it is packed.
    Pictures may be DICOM or any that `decode_image` knows; a lightness that has colours is taken from them. Their sizes
    may differ, their aspect ratios not. Pairs of one patient, where the lightness is DICOM, are a group.

    Args:
        lightness: Location of the pictures that give the lightness.
        color: Location of those that give the colours; keys are theirs.
        window: (centre, width) for DICOM; the files' own if None.
        max_pixels: larger DICOM pictures are rejected.

    Returns:
        Source, private.

    Raises:
        DensecolorError: the window is empty, or there is DICOM and pydicom is not installed.

    Example:
        >>> source = list_pairs(Location(Path("ct"), ct, None), Location(Path("photos"), photos, None))
        >>> source.entries[0].key
        'thorax/1045.png'
    """
    check_window(window, "centre, width")
    sides = [location.require_container("pairs") for location in (lightness, color)]
    names = [[name for name in files.names if _is_picture(files, name)] for files in sides]
    entries, pairs = [], {}
    for lightness_name, color_name in _match(*names):
        name = lightness_name if color_name is None else color_name
        path = (LIGHTNESS_PREFIX if color_name is None else "") + name
        group = None if lightness_name is None else _patient(sides[0], lightness_name)
        entries.append(Entry(escape_undecodable(path), path, group=group))
        pairs[path] = (lightness_name, color_name)
    reader = PairReader(*sides, window, max_pixels, pairs)
    refused = [
        (prefix + key, reason)
        for prefix, files in zip((LIGHTNESS_PREFIX, ""), sides, strict=True)
        for key, reason in refused_files(files, lambda name: is_image_name(name) or may_be_dicom(name))
    ]
    return Source("pairs", reader, entries, [], is_private=True, refused=refused)


def _match(lightness_names, color_names):
    """Pairs of names, in the order of the colours; then those without a colour.

    Returns:
        list of (lightness name or None, colour name or None).
    """
    matches, taken = {}, set()
    for name_of in (_stem_with_folders, _stem):
        candidates = _unique(lightness_names, name_of)
        for stem, name in _unique(color_names, name_of).items():
            other = candidates.get(stem)
            if other is not None and name not in matches and other not in taken:
                matches[name] = other
                taken.add(other)
    pairs = [(matches.get(name), name) for name in color_names]
    return pairs + [(name, None) for name in lightness_names if name not in taken]


def _unique(names, name_of):
    """The names by their shorter ones, without those that share theirs with others."""
    by_stem = collections.defaultdict(list)
    for name in names:
        by_stem[name_of(name)].append(name)
    return {stem: members[0] for stem, members in by_stem.items() if len(members) == 1}


def _stem_with_folders(name):
    suffix = suffix_of(name)
    return name[: -len(suffix)] if suffix else name


def _stem(name):
    return posixpath.basename(_stem_with_folders(name))


def _is_picture(files, name):
    return is_image_name(name) or is_dicom_name(files, name)


def _patient(files, name):
    if is_image_name(name):
        return None
    require_package("pydicom", "medical")
    return patient_of(files, name) or None


def _check_aspect(key, lightness_size, color_size):
    ratios = [width / height for height, width in (lightness_size, color_size)]
    if abs(ratios[0] / ratios[1] - 1) > ASPECT_TOLERANCE:
        sizes = " and ".join(f"{width} x {height}" for height, width in (lightness_size, color_size))
        raise ImageError(f"{key}: the aspect ratios of lightness and colour differ. Received: {sizes}.")
