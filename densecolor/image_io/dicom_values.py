"""What a DICOM file's stored values mean: units, windows, lookup tables, palettes (PS3.3, C.7.6.3, C.11.1, C.11.2)."""

import numpy as np

from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.medical import WHITE
from densecolor.image_io.medical import stretch

PALETTE_COLORS = ("Red", "Green", "Blue")


def gray_of(dataset, stored, frame, window):
    """Make gray pixels of one frame's stored values, as its window shows them.

    Args:
        dataset: pydicom Dataset.
        stored: (H, W) array of stored values.
        frame: its number, from 0, for enhanced files that say everything by frame.
        window: (centre, width) in the units that the values stand for, or None for the file's own: its VOI lookup
            table, else its first window, else the full range of the frame without its padding.

    Returns:
        uint16 (H, W), 0 black, whatever the photometric interpretation.
    """
    values = _in_units(dataset, stored, frame)
    gray = _shown(dataset, values, stored, frame, window)
    return WHITE - gray if dataset.PhotometricInterpretation == "MONOCHROME1" else gray


def has_own_window(dataset, frame):
    """Whether a file says how one of its frames, counted from 0, is shown: by a window or a lookup table."""
    source = _described(dataset, frame, "FrameVOILUTSequence")
    return bool(source.get("VOILUTSequence")) or _own_window(source) is not None


def range_of(dataset, stored, frame):
    """Lowest and highest value of a frame without its padding, or () where it is padding alone.

    Args:
        dataset: pydicom Dataset.
        stored: (H, W) array of stored values.
        frame: its number, from 0.

    Returns:
        (lowest, highest), in the units that the stored values stand for.
    """
    return _range(dataset, _in_units(dataset, stored, frame), stored)


def _in_units(dataset, stored, frame):
    """The stored values in the units of the modality lookup table or of the rescale slope and intercept."""
    if dataset.get("ModalityLUTSequence"):
        table, first, _ = _lookup_table(dataset, dataset.ModalityLUTSequence[0], "LUT")
        return _look_up(table, first, stored)
    source = _described(dataset, frame, "PixelValueTransformationSequence")
    slope, intercept = source.get("RescaleSlope"), source.get("RescaleIntercept")
    slope = 1.0 if slope is None else float(slope)
    return stored * slope + (0.0 if intercept is None else float(intercept))


def _shown(dataset, values, stored, frame, window):
    if window is not None:
        return _linear(values, *window)
    source = _described(dataset, frame, "FrameVOILUTSequence")
    if source.get("VOILUTSequence"):
        table, first, bits = _lookup_table(dataset, source.VOILUTSequence[0], "LUT")
        return stretch(_look_up(table, first, np.rint(values).astype(np.int64)), 0, 2**bits - 1)
    own = _own_window(source)
    if own is not None:
        return _CURVES.get(source.get("VOILUTFunction"), _linear)(values, *own)
    ends = _range(dataset, values, stored)
    return stretch(values, *ends) if ends else np.zeros(values.shape, np.uint16)


def _own_window(source):
    """The first (centre, width) that is said, or None."""
    centre, width = _first(source.get("WindowCenter")), _first(source.get("WindowWidth"))
    return (centre, width) if centre is not None and width is not None and width > 0 else None


def _range(dataset, values, stored):
    """Lowest and highest of the values that are no padding, or () where there are none."""
    shown = values[np.isfinite(values) & ~_padding(dataset, stored)]
    return (shown.min(), shown.max()) if shown.size else ()


def _linear(values, centre, width):
    if width < 1:  # not allowed, but in use for values that are fractions
        return _linear_exact(values, centre, width)
    return _linear_exact(values, centre - 0.5, width - 1)


def _linear_exact(values, centre, width):
    return stretch(values, centre - width / 2, centre + width / 2)


def _sigmoid(values, centre, width):
    exponents = np.clip(-4 * (values - centre) / width, -700, 700)
    return stretch(1 / (1 + np.exp(exponents)), 0, 1)


_CURVES = {"LINEAR": _linear, "LINEAR_EXACT": _linear_exact, "SIGMOID": _sigmoid}


def _described(dataset, frame, keyword):
    """What holds an attribute: the frame's own functional group, else the one shared by all, else the file itself."""
    own = (dataset.get("PerFrameFunctionalGroupsSequence") or [])[frame : frame + 1]
    shared = (dataset.get("SharedFunctionalGroupsSequence") or [])[:1]
    for group in [*own, *shared]:
        if group.get(keyword):
            return group.get(keyword)[0]
    return dataset


def _first(value):
    """The first of one or many numbers, or None."""
    if value is None or value == "":
        return None
    return float(value if isinstance(value, int | float) else np.atleast_1d(value)[0])


def _padding(dataset, stored):
    """Which stored values are no part of the picture: bool (H, W)."""
    value = dataset.get("PixelPaddingValue")
    if value is None:
        return np.zeros(stored.shape, bool)
    limit = dataset.get("PixelPaddingRangeLimit")
    ends = sorted((int(value), int(value if limit is None else limit)))
    return (stored >= ends[0]) & (stored <= ends[1])


def colors_of_palette(dataset, stored):
    """Look the stored values up in the file's palette.

    Returns:
        uint8 or uint16 (H, W, 3), R, G, B.
    """
    if "RedPaletteColorLookupTableData" not in dataset:
        raise BrokenImage("its palette is missing or segmented, which cannot be read. Convert it to RGB")
    planes = []
    for color in PALETTE_COLORS:
        table, first, bits = _lookup_table(dataset, dataset, f"{color}PaletteColorLookupTable")
        planes.append(_look_up(table, first, stored))
    return in_full_range(np.stack(planes, axis=-1), bits)


def in_full_range(colors, bits):
    """Colours of so many bits as uint8 if they have 8, else as full-range uint16."""
    if bits == 8 and colors.max(initial=0) <= 255:
        return colors.astype(np.uint8)
    return stretch(colors, 0, 2**bits - 1)


def _lookup_table(dataset, item, prefix):
    """A table of an item: its values, the stored value that its first stands for, and its bits."""
    entries, first, bits = (int(number) for number in item.get(f"{prefix}Descriptor"))
    entries = entries % 65536 or 65536
    data = item.get(f"{prefix}Data")
    if isinstance(data, bytes):
        words = "<u2" if dataset.original_encoding[1] else ">u2"
        data = np.frombuffer(data, words if len(data) >= 2 * entries else np.uint8)
    table = np.atleast_1d(np.asarray(data, np.int64))[:entries]
    if not table.size or not 1 <= bits <= 16:
        raise BrokenImage("damaged: it has an empty lookup table")
    return table, first, bits


def _look_up(table, first, values):
    return table[np.clip(values.astype(np.int64) - first, 0, len(table) - 1)]
