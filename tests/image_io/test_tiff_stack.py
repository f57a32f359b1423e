import contextlib
import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image

from densecolor.errors import ImageError
from densecolor.image_io.tiff_stack import TiffStack
from densecolor.image_io.tiff_stack import count_tiff_pages
from densecolor.image_io.tiff_stack import write_stack

PAGES = np.random.default_rng(0).integers(0, 65536, (3, 4, 5), np.uint16)


def read(path, window=None):
    with contextlib.closing(TiffStack(path)) as stack:
        return [stack.picture(index, window) for index in range(stack.pages)]


@pytest.mark.parametrize("options", [{}, {"bigtiff": True}, {"byteorder": ">"}, {"photometric": "miniswhite"}])
def test_pages_are_read_one_by_one(tmp_path, options):
    tifffile.imwrite(tmp_path / "x.tif", PAGES, **{"photometric": "minisblack", **options}, metadata=None)
    assert count_tiff_pages(tmp_path / "x.tif") == 3
    pages = [picture.pixels for picture in read(tmp_path / "x.tif")]
    np.testing.assert_array_equal(pages, ~PAGES if "photometric" in options else PAGES)


def test_pages_of_other_kinds_and_sizes(tmp_path):
    pages = [Image.new("1", (9, 5), 1), Image.new("CMYK", (3, 2)), Image.new("RGB", (4, 4), (9, 8, 7))]
    pages[0].save(tmp_path / "x.tif", save_all=True, append_images=pages[1:])
    pictures = read(tmp_path / "x.tif")
    assert [picture.pixels.shape for picture in pictures] == [(5, 9), (2, 3, 3), (4, 4, 3)]
    assert [picture.pixels.flat[0] for picture in pictures] == [255, 255, 9]


def test_smaller_copies_are_no_pages(tmp_path):
    with tifffile.TiffWriter(tmp_path / "x.tif") as writer:
        for page in PAGES:
            writer.write(page, photometric="minisblack", metadata=None)
            writer.write(page[::2, ::2], photometric="minisblack", metadata=None, subfiletype=1)
    np.testing.assert_array_equal([picture.pixels for picture in read(tmp_path / "x.tif")], PAGES)


def test_window(tmp_path):
    tifffile.imwrite(tmp_path / "x.tif", np.uint8([[[0, 50, 100, 200]]] * 2), photometric="minisblack", metadata=None)
    pixels = read(tmp_path / "x.tif", (50, 100))[1].pixels
    np.testing.assert_array_equal(pixels, np.uint16([[0, 0, 65535, 65535]]))


def test_written_stacks(tmp_path):
    colors = np.random.default_rng(1).integers(0, 65536, (3, 4, 5, 3), np.uint16)
    write_stack(tmp_path / "x.tif", ((rgb, None) for rgb in colors), "predicted", 3, resolution=(300, 200))
    with tifffile.TiffFile(tmp_path / "x.tif") as tiff:
        np.testing.assert_array_equal([page.asarray() for page in tiff.pages], colors)
        assert {page.photometric.name for page in tiff.pages} == {"RGB"}
        assert {page.description for page in tiff.pages} == {"predicted"}
        assert tiff.pages[0].resolution == (300, 200)
    write_stack(tmp_path / "y.tif", [(rgb, rgb[..., 0]) for rgb in colors], "predicted")
    assert [picture.alpha.tolist() for picture in read(tmp_path / "y.tif")] == colors[..., 0].tolist()


def test_a_failure_leaves_nothing(tmp_path):
    def pages():
        yield np.zeros((2, 2, 3), np.uint8), None
        raise ImageError("the second is damaged")

    with pytest.raises(ImageError, match="the second is damaged"):
        write_stack(tmp_path / "x.tif", pages(), "predicted")
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_stack(tmp_path):
    def tiff(pages, **options):
        file = io.BytesIO()
        tifffile.imwrite(file, pages, photometric="minisblack", **options)
        return file.getvalue()

    path = tmp_path / "x.tif"
    path.write_bytes(b"\x89PNG\r\n\x1a\n")
    assert count_tiff_pages(path) == 0
    whole = tiff(PAGES, metadata=None)
    path.write_bytes(whole[:-20])
    with pytest.raises(ImageError, match=r"x\.tif.*truncated TIFF"):
        read(path)
    path.write_bytes(b"II*\0" + struct.pack("<LHL", 8, 0, 8))  # a page that is its own next one
    with pytest.raises(ImageError, match="its pages go round in a circle"):
        count_tiff_pages(path)
    path.write_bytes(tiff(PAGES.astype(np.float32), metadata=None))
    with pytest.raises(ImageError, match=r"x\.tif, page 1: its pixels are of a kind that cannot be read"):
        read(path)
