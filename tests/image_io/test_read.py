import io
import re
import struct
import zlib

import numpy as np
import pytest
import tifffile
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st
from PIL import Image
from skimage import data

from densecolor.errors import ImageError
from densecolor.image_io import IMAGE_SUFFIXES
from densecolor.image_io import decode_image
from densecolor.image_io import read_image

RGB = data.astronaut()[30:94, 200:280].copy()  # 64 x 80
GRAY = RGB[..., 1].copy()
ALPHA = np.linspace(0, 255, GRAY.size).astype(np.uint8).reshape(GRAY.shape)


def encode(image, image_format, **options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def encode_tiff(array, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, array, **options)
    return file.getvalue()


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "BMP", "GIF", "WEBP", "JPEG"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1"])
def test_pillow_and_decode_image_agree(image_format, mode):
    image = Image.fromarray(RGB).convert(mode)
    if image_format == "JPEG" and mode == "P":
        pytest.skip("JPEG has no palettes")
    encoded = encode(image, image_format, **({"lossless": True} if image_format == "WEBP" else {}))
    picture = decode_image(encoded, "x")
    reference = np.asarray(Image.open(io.BytesIO(encoded)).convert("L" if picture.is_gray else "RGB"))
    # Two builds of libjpeg may round differently.
    np.testing.assert_allclose(picture.pixels, reference, atol=1 if image_format == "JPEG" else 0)
    assert picture.pixels.dtype == np.uint8
    assert picture.alpha is None
    if image_format not in ("GIF", "WEBP"):  # they store gray as colour
        assert picture.is_gray == (mode in "L1")


@pytest.mark.parametrize(("image_format", "options"), [("PNG", {}), ("TIFF", {}), ("WEBP", {"lossless": True})])
def test_alpha_of_rgb(image_format, options):
    rgba = np.dstack([RGB, np.maximum(ALPHA, 1)])  # WebP drops the colours of what is quite transparent
    picture = decode_image(encode(Image.fromarray(rgba), image_format, **options), "x")
    np.testing.assert_array_equal(picture.pixels, RGB)
    np.testing.assert_array_equal(picture.alpha, rgba[..., 3])


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_alpha_of_gray_stays_gray(image_format):
    image = Image.merge("LA", [Image.fromarray(GRAY), Image.fromarray(ALPHA)])
    picture = decode_image(encode(image, image_format), "x")
    np.testing.assert_array_equal(picture.pixels, GRAY)
    np.testing.assert_array_equal(picture.alpha, ALPHA)


@pytest.mark.parametrize("image_format", ["PNG", "GIF"])
def test_transparent_color_of_a_palette(image_format):
    image = Image.fromarray(RGB).quantize(16)
    picture = decode_image(encode(image, image_format, transparency=3), "x")
    indices = np.asarray(image)
    np.testing.assert_array_equal(picture.alpha, np.where(indices == 3, 0, 255))
    opaque = indices != 3
    np.testing.assert_array_equal(picture.pixels[opaque], np.asarray(image.convert("RGB"))[opaque])


def test_alpha_of_each_palette_entry():
    image = Image.fromarray(RGB).quantize(16)
    picture = decode_image(encode(image, "PNG", transparency=bytes(range(0, 256, 16))), "x")
    np.testing.assert_array_equal(picture.alpha, np.asarray(image) * 16)


def test_transparent_value_of_a_gray_png():
    picture = decode_image(encode(Image.fromarray(GRAY), "PNG", transparency=int(GRAY[0, 0])), "x")
    np.testing.assert_array_equal(picture.pixels, GRAY)
    np.testing.assert_array_equal(picture.alpha, np.where(picture.pixels == GRAY[0, 0], 0, 255))


def test_transparent_value_of_a_one_bit_png():
    image = Image.fromarray(GRAY).convert("1")
    picture = decode_image(encode(image, "PNG", transparency=1), "x")
    np.testing.assert_array_equal(picture.alpha, np.where(np.asarray(image), 0, 255))


def test_transparent_color_of_an_rgb_png():
    key = tuple(int(value) for value in RGB[0, 0])
    picture = decode_image(encode(Image.fromarray(RGB), "PNG", transparency=key), "x")
    np.testing.assert_array_equal(picture.alpha, np.where((picture.pixels == key).all(-1), 0, 255))


def chunk(kind, content):
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def sixteen_bit_png(values, color_type, *chunks):
    """What Pillow does not write: a 16-bit PNG of more than one channel, or with a transparent value."""
    header = struct.pack(">IIBBBBB", values.shape[1], values.shape[0], 16, color_type, 0, 0, 0)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    pixels = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(chunks) + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_sixteen_bit_png_of_every_kind(color_type, channels):
    values = (np.arange(5 * 4 * channels) * 800 + 7).astype(np.uint16).reshape(5, 4, channels)
    picture = decode_image(sixteen_bit_png(values, color_type), "x")
    assert picture.pixels.dtype == np.uint16
    if channels % 2 == 0:
        np.testing.assert_array_equal(picture.alpha, values[..., -1])
    colors = values[..., :1] if channels < 3 else values[..., :3]
    np.testing.assert_array_equal(picture.pixels.reshape(colors.shape), colors)


@pytest.mark.parametrize(("color_type", "channels"), [(0, 1), (2, 3)])
def test_transparent_value_of_a_sixteen_bit_png(color_type, channels):
    values = (np.arange(5 * 4 * channels) * 800 + 7).astype(np.uint16).reshape(5, 4, channels)
    key = chunk(b"tRNS", values[1, 2].astype(">u2").tobytes())
    picture = decode_image(sixteen_bit_png(values, color_type, key), "x")
    np.testing.assert_array_equal(picture.pixels.reshape(values.shape), values)
    np.testing.assert_array_equal(picture.alpha, np.where((values == values[1, 2]).all(-1), 0, 65535))


def test_sixteen_bit_gray_png():
    values = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    picture = decode_image(encode(Image.fromarray(values), "PNG"), "x")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, values)


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("layout", ["gray", "rgb", "tiled"])
def test_sixteen_bit_tiff(compression, byteorder, layout):
    values = (np.arange(31 * 33 * 3) * 21 % 65536).astype(np.uint16).reshape(31, 33, 3)
    values = values[..., 0].copy() if layout == "gray" else values
    tile = (16, 16) if layout == "tiled" else None
    photometric = "minisblack" if layout == "gray" else "rgb"
    encoded = encode_tiff(values, photometric=photometric, compression=compression, byteorder=byteorder, tile=tile)
    picture = decode_image(encoded, "x")
    assert picture.pixels.dtype == np.uint16
    np.testing.assert_array_equal(picture.pixels, values)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_bigtiff(dtype):
    values = RGB.astype(dtype)
    np.testing.assert_array_equal(decode_image(encode_tiff(values, bigtiff=True), "x").pixels, values)


def test_sixteen_bit_tiff_with_alpha():
    rgba = (np.dstack([RGB, ALPHA]).astype(np.uint16)) * 257
    picture = decode_image(encode_tiff(rgba, photometric="rgb", extrasamples=["unassalpha"]), "x")
    np.testing.assert_array_equal(picture.pixels, rgba[..., :3])
    np.testing.assert_array_equal(picture.alpha, rgba[..., 3])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_premultiplied_alpha_is_divided_out(dtype):
    full = np.iinfo(dtype).max
    color, opacity = np.array([1.0, 0.5, 0.25]), 0.6
    stored = np.empty((4, 5, 4), dtype)
    stored[...] = np.rint(np.append(color * opacity, opacity) * full)
    picture = decode_image(encode_tiff(stored, photometric="rgb", extrasamples=["assocalpha"]), "x")
    np.testing.assert_allclose(picture.pixels[0, 0], color * full, atol=1.5)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_tiff_whose_white_is_zero(dtype):
    values = (np.arange(12).reshape(3, 4) * 20).astype(dtype)
    picture = decode_image(encode_tiff(values, photometric="miniswhite"), "x")
    np.testing.assert_array_equal(picture.pixels, np.iinfo(dtype).max - values)


@pytest.mark.parametrize(
    ("frames", "image_format"),
    [([RGB, 255 - RGB], "TIFF"), ([RGB, 255 - RGB], "GIF"), ([RGB, 255 - RGB], "WEBP")],
)
def test_first_of_several_pages(frames, image_format):
    first, *others = map(Image.fromarray, frames)
    options = {"lossless": True} if image_format == "WEBP" else {}
    picture = decode_image(encode(first, image_format, save_all=True, append_images=others, **options), "x")
    assert np.abs(picture.pixels.astype(int) - RGB).mean() < 10  # GIF has 256 colours
    assert picture.pixels.shape == RGB.shape


def test_first_page_of_a_sixteen_bit_tiff():
    pages = np.stack([np.full((6, 7), 1000, np.uint16), np.full((6, 7), 50000, np.uint16)])
    np.testing.assert_array_equal(decode_image(encode_tiff(pages), "x").pixels, pages[0])


def upright(stored, orientation):
    """What the EXIF standard says about each orientation: where the stored rows and columns belong."""
    return {
        1: stored,
        2: stored[:, ::-1],
        3: stored[::-1, ::-1],
        4: stored[::-1],
        5: np.swapaxes(stored, 0, 1),
        6: np.swapaxes(stored[::-1], 0, 1),
        7: np.swapaxes(stored[::-1, ::-1], 0, 1),
        8: np.swapaxes(stored[:, ::-1], 0, 1),
    }[orientation]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_orientation(image_format, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if image_format == "WEBP" else {}
    image = Image.fromarray(RGB)
    if image_format != "JPEG":
        image.putalpha(Image.fromarray(np.maximum(ALPHA, 1)))
    options = {"quality": 95, "subsampling": 0} if image_format == "JPEG" else options
    encoded = encode(image, image_format, exif=exif, **options)
    picture = decode_image(encoded, "x")
    reference = upright(RGB, orientation)
    assert picture.pixels.shape == reference.shape
    assert np.abs(picture.pixels.astype(int) - reference).mean() < (4 if image_format == "JPEG" else 1e-9)
    if image_format != "JPEG":
        np.testing.assert_array_equal(picture.alpha, upright(np.maximum(ALPHA, 1), orientation))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_a_sixteen_bit_tiff(orientation):
    values = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5000
    encoded = encode_tiff(values, extratags=[(274, "H", 1, orientation, True)])
    np.testing.assert_array_equal(decode_image(encoded, "x").pixels, upright(values, orientation))


@pytest.mark.parametrize("exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff"])
def test_senseless_exif_is_ignored(exif):
    picture = decode_image(encode(Image.fromarray(RGB), "JPEG", exif=exif), "x")
    assert picture.pixels.shape == RGB.shape


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_senseless_orientation_is_ignored(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert decode_image(encode(Image.fromarray(RGB), "JPEG", exif=exif), "x").pixels.shape == RGB.shape


@pytest.mark.parametrize("adobe", [True, False])
def test_cmyk_jpeg_as_pillow_converts_it(adobe):
    encoded = encode(Image.fromarray(RGB).convert("CMYK"), "JPEG", quality=95)
    if not adobe:  # without Adobe's marker the values are not inverted
        marker = encoded.index(b"\xff\xee\0\x0eAdobe")
        encoded = encoded[:marker] + encoded[marker + 16 :]
    picture = decode_image(encoded, "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB")))
    if adobe:
        assert np.abs(picture.pixels.astype(int) - RGB).mean() < 4


def test_the_content_decides_not_the_name(tmp_path):
    path = tmp_path / "really-a-png.JPEG"
    path.write_bytes(encode(Image.fromarray(RGB), "PNG"))
    np.testing.assert_array_equal(read_image(path).pixels, RGB)
    assert ".jpeg" in IMAGE_SUFFIXES


def test_missing_files_are_os_errors(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "missing.png")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a/b.png: the file is empty"),
        (b"Not found", "a/b.png: not a picture of a known format (JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n", "a/b.png: truncated PNG"),
        (b"\xff\xd8\xff", "a/b.png: truncated JPEG"),
        (b"\xff\xd8\xff\xd9", "a/b.png: truncated JPEG"),
        (b"II*\0\x08\0\0\0", "a/b.png: truncated or damaged TIFF"),
        (b"GIF89a", "a/b.png: damaged picture"),
        (b"BM" + bytes(100), "a/b.png: damaged picture"),
        (encode_tiff(np.zeros((4, 5), np.float32)), "not 8- or 16-bit unsigned integers. Received: bits=[32]"),
        (encode_tiff(np.zeros((4, 5), np.int16)), "not 8- or 16-bit unsigned integers. Received: bits=[16]"),
        (encode_tiff(np.zeros((4, 5), np.uint32)), "not 8- or 16-bit unsigned integers. Received: bits=[32]"),
        (
            encode_tiff(np.zeros((4, 5, 2), np.uint16), planarconfig="contig", extrasamples=["unassalpha"]),
            "16-bit TIFF of a kind that cannot be read",
        ),
        (
            encode_tiff(np.zeros((3, 4, 5), np.uint16), photometric="rgb", planarconfig="separate"),
            "16-bit TIFF of a kind that cannot be read",
        ),
    ],
)
def test_what_is_no_picture(content, message):
    with pytest.raises(ImageError, match=re.escape(message)):
        decode_image(content, "a/b.png")


@pytest.mark.parametrize("image_format", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP"])
def test_too_many_pixels(image_format):
    encoded = encode(Image.fromarray(RGB), image_format)
    decode_image(encoded, "x", max_pixels=RGB.shape[0] * RGB.shape[1])
    with pytest.raises(ImageError, match="x: 80 x 64 is more than max_pixels=5,119"):
        decode_image(encoded, "x", max_pixels=RGB.shape[0] * RGB.shape[1] - 1)


def test_size_is_read_before_pixels_are_decoded():
    encoded = encode(Image.fromarray(RGB), "PNG")
    bomb = encoded[:16] + (60_000).to_bytes(4, "big") * 2 + encoded[24:]
    with pytest.raises(ImageError, match="60000 x 60000 is more than max_pixels"):
        decode_image(bomb, "x")


def with_thumbnail(encoded):
    """Put an EXIF block that holds a whole small JPEG in front of a JPEG's other segments."""
    payload = Image.Exif().tobytes() + encode(Image.fromarray(RGB[:16, :16]), "JPEG")
    return encoded[:2] + b"\xff\xe1" + (len(payload) + 2).to_bytes(2, "big") + payload + encoded[2:]


COMPLETE = {
    "jpeg": encode(Image.fromarray(RGB), "JPEG"),
    "gray jpeg": encode(Image.fromarray(GRAY), "JPEG"),
    "progressive jpeg": encode(Image.fromarray(RGB), "JPEG", progressive=True),
    "jpeg with restarts": encode(Image.fromarray(RGB), "JPEG", restart_marker_rows=1),
    "jpeg with a thumbnail": with_thumbnail(encode(Image.fromarray(RGB), "JPEG")),
    "cmyk jpeg": encode(Image.fromarray(RGB).convert("CMYK"), "JPEG"),
    "png": encode(Image.fromarray(RGB), "PNG"),
    "palette png": encode(Image.fromarray(RGB).quantize(16), "PNG"),
    "16-bit png": encode(Image.fromarray(GRAY.astype(np.uint16) * 257), "PNG"),
    "tiff": encode(Image.fromarray(RGB), "TIFF"),
    "lzw tiff": encode(Image.fromarray(RGB), "TIFF", compression="tiff_lzw"),
    "16-bit tiff": encode_tiff(RGB.astype(np.uint16) * 257, photometric="rgb"),
    "16-bit deflate tiff": encode_tiff(RGB.astype(np.uint16) * 257, photometric="rgb", compression="zlib"),
    "webp": encode(Image.fromarray(RGB), "WEBP"),
    "lossless webp": encode(Image.fromarray(RGB), "WEBP", lossless=True),
    "gif": encode(Image.fromarray(RGB), "GIF"),
    "bmp": encode(Image.fromarray(RGB), "BMP"),
}


@pytest.mark.parametrize("kind", COMPLETE)
@settings(max_examples=100, deadline=None)
@given(fraction=st.floats(0, 1, exclude_max=True))
def test_pictures_cut_short_are_refused(kind, fraction):
    encoded = COMPLETE[kind]
    _assert_refused_or_whole(encoded, int(len(encoded) * fraction))


@pytest.mark.parametrize("kind", COMPLETE)
def test_pictures_that_lack_their_last_bytes_are_refused(kind):
    for missing in (1, 2, 3, 5, 8, 13, 20, 40):
        _assert_refused_or_whole(COMPLETE[kind], len(COMPLETE[kind]) - missing)


def _assert_refused_or_whole(encoded, length):
    try:
        picture = decode_image(encoded[:length], "cut")
    except ImageError:
        return
    # Only what follows the pixels was missing.
    np.testing.assert_array_equal(picture.pixels, decode_image(encoded, "whole").pixels)


def test_a_jpeg_whose_end_was_never_written_is_refused():
    encoded = COMPLETE["jpeg"]
    with pytest.raises(ImageError, match="end-of-image marker is missing"):
        decode_image(encoded[: len(encoded) // 2] + bytes(len(encoded) // 2), "x")


def test_what_follows_a_complete_jpeg_does_not_matter():
    encoded = COMPLETE["jpeg"]
    reference = decode_image(encoded, "x").pixels
    np.testing.assert_array_equal(decode_image(encoded + b"trailer", "x").pixels, reference)


@pytest.mark.parametrize("kind", COMPLETE)
@settings(max_examples=100, deadline=None)
@given(position=st.floats(0, 1, exclude_max=True), value=st.integers(0, 255))
def test_damage_anywhere_gives_a_picture_or_an_image_error(kind, position, value):
    damaged = bytearray(COMPLETE[kind])
    damaged[int(position * len(damaged))] = value
    try:
        picture = decode_image(bytes(damaged), "x", max_pixels=1 << 20)
    except ImageError:
        return
    assert picture.pixels.dtype in (np.uint8, np.uint16)
    assert picture.pixels.shape[2:] in ((), (3,))


def test_bad_files_leave_stderr_alone(capfd):
    for kind in ("jpeg", "png", "16-bit tiff", "tiff", "webp", "gif"):
        with pytest.raises(ImageError):
            decode_image(COMPLETE[kind][: len(COMPLETE[kind]) // 2], "x")
    assert capfd.readouterr().err == ""
