import cv2
import numpy as np
import pytest
from conftest import write_packed

from densecolor.color import quantize_ab
from densecolor.color import quantize_lightness
from densecolor.color import srgb_to_lab
from densecolor.errors import ImageError
from densecolor.errors import ShardError
from densecolor.image_io import read_image
from densecolor.packing.contact_sheet import contact_sheet
from densecolor.packing.contact_sheet import write_contact_sheet

GAP = 4


def quantized(rgb):
    lab = srgb_to_lab(rgb)
    return quantize_lightness(lab[..., 0]), quantize_ab(lab[..., 1:])


def cells(sheet, side, columns):
    """The thumbnails of a sheet, row by row."""
    rows = (sheet.shape[0] - GAP) // (side + GAP)
    starts = [(GAP + r * (side + GAP), GAP + c * (side + GAP)) for r in range(rows) for c in range(columns)]
    return [sheet[top : top + side, left : left + side] for top, left in starts]


def square(size, side, value=255):
    mask = np.zeros((size, size), np.uint8)
    low = (size - side) // 2
    mask[low : low + side, low : low + side] = value
    return mask


def test_small_pictures_are_enlarged_by_whole_pixels(crops):
    sheet = contact_sheet(*quantized(crops[:10]), columns=4)
    assert sheet.shape == (GAP + 3 * 164, GAP + 4 * 164, 3)
    shown = cells(sheet, 160, 4)
    for rgb, cell in zip(crops, shown[:10], strict=False):
        enlarged = rgb.repeat(5, axis=0).repeat(5, axis=1)
        assert np.abs(cell.astype(int) - enlarged).mean() < 2  # the rounding of a shard
    assert all((cell == cell[0, 0]).all() for cell in shown[10:])  # paper


@pytest.mark.parametrize(("size", "side"), [(160, 160), (240, 160), (100, 100), (80, 160), (1, 160)])
def test_thumbnails_are_at_most_160_pixels(photographs, size, side):
    rgb = cv2.resize(photographs["coffee.png"][:400, :400], (size, size), interpolation=cv2.INTER_AREA)
    sheet = contact_sheet(*quantized(rgb[None]))
    assert sheet.shape == (side + 2 * GAP, side + 2 * GAP, 3)
    expected = cv2.resize(rgb, (side, side), interpolation=cv2.INTER_AREA if size > side else cv2.INTER_NEAREST)
    assert np.abs(cells(sheet, side, 1)[0].astype(int) - expected).mean() < 2


@pytest.mark.parametrize("value", [0, 110, 255])
def test_an_outline_shows_on_any_gray_and_nowhere_else(value):
    gray = np.full((1, 160, 160, 3), value, np.uint8)
    plain = contact_sheet(*quantized(gray)).astype(int)
    outlined = contact_sheet(*quantized(gray), square(160, 80)[None]).astype(int)
    changed = cells(np.abs(outlined - plain).max(-1), 160, 1)[0]
    assert (changed[39:121, 40] > 90).sum() >= 80  # along the left side of the square
    assert (changed[40, 40:120] > 90).all()
    assert not changed[:38].any()
    assert not changed[44:116, 44:116].any()


def test_soft_masks_are_outlined_at_128(crops):
    pictures = quantized(crops[:1])
    plain = contact_sheet(*pictures)
    for value, outlined in ((127, False), (128, True)):
        sheet = contact_sheet(*pictures, square(32, 16, value)[None])
        assert (sheet != plain).any() == outlined


def test_holes_are_outlined_too(crops):
    pictures = quantized(crops[:1])
    mask = square(32, 24)
    without = contact_sheet(*pictures, mask[None])
    mask[12:20, 12:20] = 0
    changed = (contact_sheet(*pictures, mask[None]) != without).any(-1)
    assert changed[GAP + 59, GAP + 60 : GAP + 100].all()


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
@pytest.mark.parametrize("with_mask", [False, True])
def test_a_packed_folder_is_drawn_from_all_its_splits(tmp_path, crops, suffix, with_mask):
    labels = np.zeros(30, int)
    splits = {"train": (crops[:21], labels[:21]), "validation": (crops[21:], labels[21:])}
    folder = write_packed(tmp_path / "packed", splits, with_mask=with_mask)
    path = tmp_path / f"sheets/check{suffix}"
    write_contact_sheet(folder, path, limit=10, columns=5)
    sheet = read_image(path).pixels
    lightness, ab = quantized(crops[::3])
    expected = contact_sheet(lightness, ab, lightness if with_mask else None, columns=5)
    assert sheet.shape == expected.shape
    assert np.abs(sheet.astype(int) - expected).mean() < (0.01 if suffix == ".png" else 4)


def test_fewer_pictures_than_the_limit_are_all_drawn(tmp_path, crops):
    folder = write_packed(tmp_path / "packed", {"test": (crops[:3], np.zeros(3, int))})
    write_contact_sheet(folder, tmp_path / "check.png")
    np.testing.assert_array_equal(read_image(tmp_path / "check.png").pixels, contact_sheet(*quantized(crops[:3])))


def test_bad_input(tmp_path, crops, packed):
    with pytest.raises(FileNotFoundError, match="no packed folder"):
        write_contact_sheet(tmp_path / "absent", tmp_path / "check.png")
    empty = write_packed(tmp_path / "empty", {"train": (crops[:0], np.zeros(0, int))})
    with pytest.raises(ShardError, match="holds no pictures"):
        write_contact_sheet(empty, tmp_path / "check.png")
    with pytest.raises(ImageError, match=r"'\.xyz'"):
        write_contact_sheet(packed, tmp_path / "check.xyz")
    write_contact_sheet(packed, tmp_path / "check.png", limit=1)
    with pytest.raises(ImageError, match="exists already"):
        write_contact_sheet(packed, tmp_path / "check.png")
    write_contact_sheet(packed, tmp_path / "check.png", limit=2, overwrite=True)
    assert read_image(tmp_path / "check.png").pixels.shape == (168, 332, 3)
