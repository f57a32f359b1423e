import io

import numpy as np
import pytest
import tifffile
from PIL import Image
from skimage import data

from densecolor.errors import ImageError
from densecolor.image_io import decode_image
from densecolor.image_io import large_tiff
from densecolor.image_io import read_image
from densecolor.image_io.headers import BrokenImage

RGB = data.astronaut()[30:123, 200:301].copy()  # 93 x 101
GRAY = RGB[..., 1].copy()
ALPHA = np.linspace(1, 255, GRAY.size).astype(np.uint8).reshape(GRAY.shape)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch):
    monkeypatch.setattr(large_tiff, "LARGE", 100)


def fine(values):
    return (values.astype(np.uint32) * 257 - values // 3).astype(np.uint16)


def saved(path, values, **options):
    tifffile.imwrite(path, values, **options)
    return path


def was_read_directly(path):
    with open(path, "rb") as file:
        return large_tiff.read_large_tiff(file, 1 << 28) is not None


@pytest.mark.parametrize("depth", [np.asarray, fine], ids=["8", "16"])
@pytest.mark.parametrize("kind", ["gray", "rgb", "rgba", "white is zero"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "zlib", "predictor": True, "byteorder": ">"},
        {"compression": "lzw", "rowsperstrip": 7},
        {"compression": "packbits", "tile": (32, 48)},
        {"bigtiff": True, "extratags": [(274, "H", 1, 6, True)]},
    ],
    ids=lambda options: " ".join(options) or "plain",
)
def test_equals_the_other_decoders(tmp_path, monkeypatch, depth, kind, options):
    values = {"gray": GRAY, "white is zero": GRAY, "rgb": RGB, "rgba": np.dstack([RGB, ALPHA])}[kind]
    photometric = {"gray": "minisblack", "white is zero": "miniswhite"}.get(kind, "rgb")
    extra = {"extrasamples": ["unassalpha"]} if kind == "rgba" else {}
    path = saved(tmp_path / "a.tif", depth(values), photometric=photometric, **options, **extra)
    assert was_read_directly(path)
    found, wanted = read_image(path), decode_image(path.read_bytes(), "a")
    np.testing.assert_array_equal(found.pixels, wanted.pixels)
    assert found.pixels.dtype == wanted.pixels.dtype
    if kind == "rgba":
        np.testing.assert_array_equal(found.alpha, wanted.alpha)
    else:
        assert found.alpha is wanted.alpha is None


@pytest.mark.parametrize("compression", [None, "zlib", "lzw"])
@pytest.mark.parametrize("kept", [0.98, 0.5])
def test_cut_short(tmp_path, compression, kept):
    path = saved(tmp_path / "a.tif", RGB, photometric="rgb", compression=compression, rowsperstrip=7)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(ImageError, match=r"a\.tif: (truncated|damaged)"):
        read_image(path)


@pytest.mark.parametrize("compression", ["zlib", "lzw"])
def test_damaged_in_the_middle(tmp_path, compression):
    path = saved(tmp_path / "a.tif", RGB, photometric="rgb", compression=compression, rowsperstrip=7)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\xff" * 400
    path.write_bytes(content)
    with pytest.raises(ImageError, match=r"a\.tif: (truncated|damaged)"):
        read_image(path)


def test_kinds_for_the_other_decoders(tmp_path):
    files = {
        "float": saved(tmp_path / "float.tif", GRAY.astype(np.float32)),
        "planes": saved(tmp_path / "planes.tif", RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate"),
        "premultiplied": saved(
            tmp_path / "pre.tif", np.dstack([RGB, ALPHA]), photometric="rgb", extrasamples=["assocalpha"]
        ),
    }
    for name, mode in (("bilevel", "1"), ("palette", "P"), ("cmyk", "CMYK")):
        files[name] = tmp_path / f"{name}.tif"
        Image.fromarray(RGB).convert(mode).save(files[name])
    files["jpeg"] = tmp_path / "jpeg.tif"
    Image.fromarray(RGB).save(files["jpeg"], compression="jpeg")
    assert [name for name, path in files.items() if was_read_directly(path)] == []
    assert read_image(files["jpeg"]).pixels.shape == RGB.shape


def test_too_many_pixels(tmp_path):
    path = saved(tmp_path / "a.tif", GRAY)
    with open(path, "rb") as file:
        assert large_tiff.read_large_tiff(file, 1000) is None
    with pytest.raises(BrokenImage):
        large_tiff.read_large_tiff(io.BytesIO(b"II*\0"), 1000)
    assert large_tiff.read_large_tiff(io.BytesIO(b""), 1000) is None
