import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import Image
from PIL import ImageCms
from skimage import data

from densecolor.image_io import decode_image

RGB = data.astronaut()[100:132, 180:220].copy()
GRAY = np.arange(256, dtype=np.uint8).reshape(16, 16)

# Colorants as the published profiles have them: adapted to D50.
SRGB_COLORANTS = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
P3_COLORANTS = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
# Linear Display P3 to linear sRGB, both D65 (CSS Color 4, section 10).
P3_TO_SRGB = np.array([[1.2249402, -0.2249402, 0], [-0.0420570, 1.0420570, 0], [-0.0196376, -0.0786361, 1.0982736]])


def s15(*values):
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def xyz(values):
    return b"XYZ \0\0\0\0" + s15(*values)


def gamma(exponent):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256)) + b"\0\0"


SRGB_CURVE = b"para\0\0\0\0" + struct.pack(">HH", 3, 0) + s15(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def icc_profile(color_space, tags, pcs=b"XYZ ", kind=b"mntr"):
    """A minimal version 2.4 profile, written out by the ICC specification."""
    tags = {b"wtpt": xyz((0.9642, 1, 0.8249)), **tags}
    table, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        content += bytes(-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    header = struct.pack(">I4sI4s4s4s", start + len(body), bytes(4), 0x02400000, kind, color_space, pcs)
    header += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + s15(0.9642, 1, 0.8249) + bytes(48)
    return header + table + body


def matrix_profile(colorants, curve):
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    return icc_profile(b"RGB ", dict(zip(names, map(xyz, colorants), strict=True)) | curves)


SWAPPED = matrix_profile((SRGB_COLORANTS[2], SRGB_COLORANTS[1], SRGB_COLORANTS[0]), SRGB_CURVE)
DISPLAY_P3 = matrix_profile(P3_COLORANTS, SRGB_CURVE)
LINEAR_GRAY = icc_profile(b"GRAY", {b"kTRC": gamma(1)})


def cmyk_profile():
    """A CMYK profile of two grid points a channel, in which cyan and yellow have changed places."""
    grid = np.stack(np.meshgrid(*[[0.0, 1.0]] * 4, indexing="ij"), axis=-1).reshape(-1, 4)
    light = (1 - grid[:, 3]) * (1 - grid[:, :3].mean(axis=1))
    a, b = 60 * (grid[:, 1] - grid[:, 2]), 60 * (grid[:, 0] - grid[:, 1])
    lab = np.stack([light * 255, a + 128, b + 128], axis=-1).round().astype(np.uint8)
    identity = bytes(range(256))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + s15(1, 0, 0, 0, 1, 0, 0, 0, 1)
    table += identity * 4 + lab.tobytes() + identity * 3
    return icc_profile(b"CMYK", {b"A2B0": table}, pcs=b"Lab ", kind=b"prtr")


def encode(image, image_format, **options):
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def srgb_decoded(values):
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def srgb_encoded(values):
    return np.where(values <= 0.0031308, values * 12.92, 1.055 * np.maximum(values, 0) ** (1 / 2.4) - 0.055)


def p3_to_srgb(rgb):
    return srgb_encoded(np.clip(srgb_decoded(rgb) @ P3_TO_SRGB.T, 0, 1))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP"])
def test_swapped_primaries_swap_red_and_blue(image_format):
    options = {"lossless": True} if image_format == "WEBP" else {}
    picture = decode_image(encode(Image.fromarray(RGB), image_format, icc_profile=SWAPPED, **options), "x")
    np.testing.assert_allclose(picture.pixels, RGB[..., ::-1], atol=1)


def test_profile_of_a_jpeg():
    encoded = encode(Image.fromarray(RGB), "JPEG", icc_profile=SWAPPED)
    plain = decode_image(encode(Image.fromarray(RGB), "JPEG"), "x").pixels
    np.testing.assert_allclose(decode_image(encoded, "x").pixels, plain[..., ::-1], atol=1)


def test_profile_in_several_jpeg_segments():
    large = SWAPPED + bytes(100_000)
    encoded = encode(Image.fromarray(RGB), "JPEG", icc_profile=large)
    plain = decode_image(encode(Image.fromarray(RGB), "JPEG"), "x").pixels
    np.testing.assert_allclose(decode_image(encoded, "x").pixels, plain[..., ::-1], atol=1)


def test_display_p3_against_its_definition():
    picture = decode_image(encode(Image.fromarray(RGB), "PNG", icc_profile=DISPLAY_P3), "x")
    np.testing.assert_allclose(picture.pixels, p3_to_srgb(RGB / 255) * 255, atol=1.5)
    assert np.abs(picture.pixels.astype(int) - RGB).max() > 8


def test_display_p3_with_sixteen_bits():
    ramp = np.linspace(8000, 60000, 3000).astype(np.uint16).reshape(30, 100)
    pixels = np.stack([ramp, ramp[::-1], ramp[:, ::-1]], axis=-1)
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, photometric="rgb", iccprofile=DISPLAY_P3)
    picture = decode_image(file.getvalue(), "x")
    assert picture.pixels.dtype == np.uint16
    error = np.abs(picture.pixels / 257 - p3_to_srgb(pixels / 65535) * 255)
    assert np.quantile(error, 0.99) < 1.1
    assert error.max() < 4  # the curve is steep where a channel is almost zero
    assert len(np.unique(picture.pixels)) > 256  # gradation finer than 8 bits survives


@pytest.mark.parametrize("bits", [8, 16])
def test_linear_gray(bits):
    pixels = GRAY if bits == 8 else GRAY.astype(np.uint16) * 257
    picture = decode_image(encode(Image.fromarray(pixels), "PNG", icc_profile=LINEAR_GRAY), "x")
    assert picture.is_gray
    assert picture.pixels.dtype == pixels.dtype
    np.testing.assert_allclose(picture.pixels / (257 if bits == 16 else 1), srgb_encoded(GRAY / 255) * 255, atol=1.01)


def test_cmyk_profile_as_little_cms_applies_it():
    cmyk = Image.fromarray(RGB).convert("CMYK")
    encoded = encode(cmyk, "JPEG", quality=95, icc_profile=cmyk_profile())
    reference = ImageCms.profileToProfile(
        Image.open(io.BytesIO(encoded)),
        ImageCms.ImageCmsProfile(io.BytesIO(cmyk_profile())),
        ImageCms.createProfile("sRGB"),
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    picture = decode_image(encoded, "x")
    np.testing.assert_array_equal(picture.pixels, np.asarray(reference))
    assert np.abs(picture.pixels.astype(int) - RGB).mean() > 20


@pytest.mark.parametrize(
    "profile",
    [
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes(),
        matrix_profile(SRGB_COLORANTS, SRGB_CURVE),
        b"not a profile",
        SWAPPED[:200],
        LINEAR_GRAY,  # of another kind than the pixels
    ],
)
def test_profiles_that_change_nothing(profile):
    picture = decode_image(encode(Image.fromarray(RGB), "PNG", icc_profile=profile), "x")
    np.testing.assert_array_equal(picture.pixels, RGB)


def test_alpha_is_no_colour():
    rgba = np.dstack([RGB, np.full(RGB.shape[:2], 100, np.uint8)])
    picture = decode_image(encode(Image.fromarray(rgba), "PNG", icc_profile=SWAPPED), "x")
    np.testing.assert_allclose(picture.pixels, RGB[..., ::-1], atol=1)
    assert (picture.alpha == 100).all()
