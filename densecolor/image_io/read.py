"""Decode pictures: upright, in sRGB, with their alpha; whatever is broken is an error that says so.

JPEG and PNG (all that packing at speed needs) and 16-bit TIFF go through OpenCV; what OpenCV would get wrong (CMYK,
alpha in 8-bit TIFF) or would not refuse when cut short goes through Pillow.
"""

import contextlib
import dataclasses
import io
import pathlib
import warnings

import cv2
import numpy as np
from PIL import BmpImagePlugin
from PIL import GifImagePlugin
from PIL import JpegImagePlugin
from PIL import TiffImagePlugin
from PIL import WebPImagePlugin

from densecolor.errors import ImageError
from densecolor.image_io import headers
from densecolor.image_io.headers import BrokenImage
from densecolor.image_io.icc import convert_cmyk_to_srgb
from densecolor.image_io.icc import convert_to_srgb
from densecolor.image_io.large_tiff import read_large_tiff
from densecolor.image_io.silence import opencv_silenced

DEFAULT_MAX_PIXELS = 1 << 28  # 16,384 squared: 0.8 GB as 8-bit RGB
IMAGE_SUFFIXES = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})

_REDUCED = {2: cv2.IMREAD_REDUCED_COLOR_2, 4: cv2.IMREAD_REDUCED_COLOR_4, 8: cv2.IMREAD_REDUCED_COLOR_8}

# What EXIF orientations 2 to 8 ask for. Rotations are clockwise.
_UPRIGHT = {
    2: lambda pixels: cv2.flip(pixels, 1),
    3: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_180),
    4: lambda pixels: cv2.flip(pixels, 0),
    5: cv2.transpose,
    6: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE),
    7: lambda pixels: cv2.rotate(cv2.transpose(pixels), cv2.ROTATE_180),
    8: lambda pixels: cv2.rotate(pixels, cv2.ROTATE_90_COUNTERCLOCKWISE),
}


@dataclasses.dataclass(frozen=True, eq=False)
class Picture:
    """A decoded picture, upright and in sRGB.

    Attributes:
        pixels: uint8 or uint16, (H, W) gray or (H, W, 3) in R, G, B order.
        alpha: the same dtype, (H, W), 0 transparent; None where the file has none.
        reduction: how many times as large the file's picture is, where it was decoded smaller.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None = None
    reduction: int = 1

    @property
    def original_size(self):
        """(height, width) of the file's picture, upright."""
        return tuple(side * self.reduction for side in self.pixels.shape[:2])

    @property
    def is_gray(self):
        """Whether the pixels have one channel; a gray picture stored as RGB is not told apart."""
        return self.pixels.ndim == 2


def read_image(path):
    """Read a picture from a file; see `decode_image`.

    Raises:
        ImageError: the file is not a picture, is damaged, or is too large.
        OSError: the file cannot be read.

    Example:
        >>> densecolor.image_io.read_image("holiday.jpg").pixels.shape
        (1200, 1600, 3)
    """
    with open(path, "rb") as file, errors_named(str(path)):
        large = read_large_tiff(file, DEFAULT_MAX_PIXELS)
        if large is not None:
            return finish(*large)
    return decode_image(pathlib.Path(path).read_bytes(), str(path))


def decode_image(data, name, max_pixels=DEFAULT_MAX_PIXELS, reduce=None):
    """Decode a JPEG, PNG, TIFF, WebP, GIF, BMP or DICOM picture; of several pages or frames, the first.

    EXIF orientation is applied, embedded ICC profiles are converted to sRGB, palettes are resolved, CMYK becomes RGB
    and premultiplied alpha is divided out. The format is told by the content, never by the name.

    Args:
        data: bytes of the whole file.
        name: what error messages call the picture: its path.
        max_pixels: more pixels than this are refused before they are decoded.
        reduce: function (width, height) -> 1, 2, 4 or 8: how many times smaller the picture may be decoded. Only
            colour JPEGs whose sides can be divided by that are (by a smaller inverse DCT, which saves time); others are
            decoded whole.

    Returns:
        Picture.

    Raises:
        ImageError: `data` is not a picture, is cut short or damaged, has pixels that are neither 8- nor 16-bit
            unsigned integers, or has too many of them.
    """
    with errors_named(name):
        if reduce is not None and data.startswith(headers.JPEG_SIGNATURE):
            return _decode_jpeg(data, max_pixels, reduce)
        return _decoder_for(data)(data, max_pixels)


@contextlib.contextmanager
def errors_named(name):
    """Turn what a `with` block raises of malformed bytes into `ImageError` that names the picture."""
    try:
        yield
    except BrokenImage as error:
        raise ImageError(f"{name}: {error}.") from error
    except Exception as error:  # OpenCV and Pillow raise many kinds from malformed bytes
        raise ImageError(f"{name}: damaged picture ({error}). Replace the file or leave it out.") from error


def _decoder_for(data):
    if not data:
        raise BrokenImage("the file is empty")
    if data.startswith(headers.JPEG_SIGNATURE):
        return _decode_jpeg
    if data.startswith(headers.PNG_SIGNATURE):
        return _decode_png
    if data[128:132] == b"DICM":  # before TIFF, since scanners put a TIFF header into the bytes that DICOM leaves free
        return _decode_dicom
    if data.startswith(headers.TIFF_SIGNATURES):
        return _decode_tiff
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _decode_webp
    if data.startswith((b"GIF87a", b"GIF89a")):
        return _decode_gif
    if data.startswith(b"BM"):
        return _decode_bmp
    raise BrokenImage("not a picture of a known format (JPEG, PNG, TIFF, WebP, GIF, BMP, DICOM)")


def _decode_jpeg(data, max_pixels, reduce=lambda width, height: 1):
    header = headers.read_jpeg_header(data)
    if header.channels == 4:
        return decode_with_pillow(JpegImagePlugin.JpegImageFile, data, max_pixels)
    reduction = reduce(header.width, header.height)
    if header.channels != 3:
        return _decode_with_opencv(data, header, max_pixels)
    check_size(header.width, header.height, max_pixels)
    if reduction == 1 or header.width % reduction or header.height % reduction:
        return finish(_decode_by_opencv(data, cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION), None, header)
    pixels = _decode_by_opencv(data, _REDUCED[reduction] | cv2.IMREAD_IGNORE_ORIENTATION)
    picture = finish(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, pixels), None, header)
    return dataclasses.replace(picture, reduction=reduction)


def _decode_png(data, max_pixels):
    return _decode_with_opencv(data, headers.read_png_header(data), max_pixels)


def _decode_webp(data, max_pixels):
    return decode_with_pillow(WebPImagePlugin.WebPImageFile, data, max_pixels)


def _decode_gif(data, max_pixels):
    return decode_with_pillow(GifImagePlugin.GifImageFile, data, max_pixels)


def _decode_bmp(data, max_pixels):
    return decode_with_pillow(BmpImagePlugin.BmpImageFile, data, max_pixels)


def _decode_dicom(data, max_pixels):
    from densecolor.image_io import dicom  # here, since it is built on this module

    return dicom.decode_first_frame(data, max_pixels)


def _decode_tiff(data, max_pixels):
    tags = headers.read_tiff_tags(data)
    bits = set(tags.get(TiffImagePlugin.BITSPERSAMPLE, (1,)))
    if set(tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))) != {1} or not (max(bits) <= 8 or bits == {16}):
        raise BrokenImage(
            f"its TIFF pixels are not 8- or 16-bit unsigned integers. Received: bits={sorted(bits)}, "
            f"sample format={tags.get(TiffImagePlugin.SAMPLEFORMAT, (1,))}. Save it as 8- or 16-bit TIFF or PNG"
        )
    if bits == {16}:
        return _decode_16_bit_tiff(data, tags, max_pixels)
    return decode_with_pillow(TiffImagePlugin.TiffImageFile, data, max_pixels)


def _decode_16_bit_tiff(data, tags, max_pixels):
    photometric = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION)
    samples = tags.get(TiffImagePlugin.SAMPLESPERPIXEL, 1)
    planes = samples if tags.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2 else 1
    if (photometric, samples) not in {(0, 1), (1, 1), (2, 3), (2, 4)} or planes > 1:  # OpenCV gets them wrong
        raise BrokenImage(
            "16-bit TIFF of a kind that cannot be read: only gray, RGB and RGB with alpha, in one plane, can. "
            f"Received: photometric interpretation={photometric}, samples per pixel={samples}, planes={planes}. "
            "Save it as PNG"
        )
    header = headers.Header(
        width=tags[TiffImagePlugin.IMAGEWIDTH],
        height=tags[TiffImagePlugin.IMAGELENGTH],
        channels=samples,
        orientation=1,  # OpenCV's TIFF decoder turns pictures upright by itself
        icc_profile=tags.get(TiffImagePlugin.ICCPROFILE, b""),
    )
    pixels, alpha = _pixels_by_opencv(data, header, max_pixels)
    if photometric == 0:  # white is zero
        pixels = ~pixels
    if alpha is not None and tags.get(TiffImagePlugin.EXTRASAMPLES, (2,))[0] == 1:  # premultiplied
        opaque = np.maximum(alpha, 1).astype(np.float32)[..., None]
        pixels = np.minimum(np.rint(pixels / opaque * 65535), 65535).astype(np.uint16)
    return finish(pixels, alpha, header)


def _decode_with_opencv(data, header, max_pixels):
    return finish(*_pixels_by_opencv(data, header, max_pixels), header)


def _pixels_by_opencv(data, header, max_pixels):
    check_size(header.width, header.height, max_pixels)
    decoded = _decode_by_opencv(data, cv2.IMREAD_UNCHANGED)
    if header.channels == 3:
        return cv2.cvtColor(decoded, cv2.COLOR_BGR2RGB, decoded), None  # in place
    if header.channels == 2:  # decoded to B = G = R and alpha
        return np.ascontiguousarray(decoded[..., 0]), np.ascontiguousarray(decoded[..., 3])
    if header.channels == 4:
        return np.ascontiguousarray(decoded[..., 2::-1]), np.ascontiguousarray(decoded[..., 3])
    if header.transparent_gray is not None:
        full_scale = np.iinfo(decoded.dtype).max
        return decoded, np.where(decoded == header.transparent_gray, 0, full_scale).astype(decoded.dtype)
    return decoded, None


def _decode_by_opencv(data, flags):
    with opencv_silenced():
        decoded = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if decoded is None:
        raise BrokenImage("truncated or damaged: its pixels cannot be decoded")
    return decoded


def decode_with_pillow(plugin, data, max_pixels, page=0):
    """Decode a picture of the kinds that Pillow reads best.

    Args:
        plugin: class of Pillow for the format.
        data: bytes of the file, or a binary file.
        max_pixels: more than that are refused before they are decoded.
        page: int, from 0.

    Returns:
        Picture.

    Raises:
        BrokenImage: its pixels are of another kind.
        Exception: of many kinds, from damaged ones.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what matters raises
        # Not Image.open: its limit on pixels is one for the whole process.
        image = plugin(io.BytesIO(data) if isinstance(data, bytes) else data)
        if page:
            image.seek(page)
        check_size(*image.size, max_pixels)
        image.load()
    # Pillow turns TIFFs upright while loading, and then no EXIF data asks for it again.
    orientation = 1 if image.format == "TIFF" else headers.exif_orientation(image.info.get("exif", b""))
    profile = image.info.get("icc_profile") or b""
    header = headers.Header(*image.size, len(image.getbands()), orientation=orientation, icc_profile=profile)
    if image.mode == "CMYK":
        pixels = convert_cmyk_to_srgb(image, profile)
        return finish(pixels, None, dataclasses.replace(header, icc_profile=b""))
    if image.mode not in {"1", "L", "LA", "La", "P", "PA", "RGB", "RGBA", "RGBX", "RGBa", "YCbCr"}:
        raise BrokenImage(f"pixels of this kind cannot be read. Received: mode={image.mode}. Save it as PNG")
    alpha = None
    gray = image.mode in {"1", "L", "LA", "La"}
    if image.has_transparency_data:
        image = image.convert("LA" if gray else "RGBA")
        alpha = np.array(image.getchannel("A"))
    return finish(np.array(image.convert("L" if gray else "RGB")), alpha, header)


def finish(pixels, alpha, header):
    """Convert to sRGB by the header's profile and turn upright."""
    if header.icc_profile:
        pixels = convert_to_srgb(pixels, header.icc_profile)
    if header.orientation > 1:
        turn = _UPRIGHT[header.orientation]
        pixels = turn(pixels)
        alpha = None if alpha is None else turn(alpha)
    return Picture(pixels, alpha)


def check_size(width, height, max_pixels):
    """Refuse a picture without pixels, or with too many.

    Raises:
        BrokenImage: it is one of them.
    """
    if not width or not height:
        raise BrokenImage(f"damaged header. Received: size={width} x {height}")
    if width * height > max_pixels:
        raise BrokenImage(
            f"{width} x {height} is more than max_pixels={max_pixels:,} pixels. Make it smaller, or raise "
            "`max_pixels` if it is to be trusted"
        )
