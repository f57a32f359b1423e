"""Write pictures: the format by the suffix, whole or not at all."""

import contextlib
import io
import os
import pathlib
import uuid

import cv2
import numpy as np

from densecolor.errors import ImageError
from densecolor.image_io.display import to_8_bits
from densecolor.image_io.silence import opencv_silenced

JPEG_QUALITY = 95
TIFF_SUFFIXES = (".tif", ".tiff")
_WEBP_LOSSLESS = 101  # OpenCV: a quality above 100


def write_image(path, pixels, alpha=None, overwrite=False):
    """Write a picture; its folder is made where it is missing.

    The file appears under its name when it is complete. See `encode_image` for what each format keeps.

    Args:
        path: where to; the suffix decides the format.
        pixels: uint8 or uint16, (H, W) gray or (H, W, 3) in R, G, B order.
        alpha: (H, W) of the same dtype, or None.
        overwrite: bool; False refuses a path that exists.

    Raises:
        ImageError: the path exists already, or `encode_image` refuses.
        OSError: the folder or the file cannot be written.

    Example:
        >>> write_image("gray.png", np.uint8([[0, 128, 255]]))
    """
    path = pathlib.Path(path)
    if path.exists() and not overwrite:
        raise ImageError(f"{path} exists already. Choose another name, or overwrite it with overwrite=True.")
    to_disk = path.suffix.lower() in TIFF_SUFFIXES  # as it is encoded, since it may be as large as the memory
    pixels, alpha = _checked(pixels, alpha)
    data = None if to_disk else encode_image(pixels, path.suffix, alpha)
    with written_whole(path) as unfinished:
        if to_disk:
            _save_tiff(unfinished, pixels, alpha)
        else:
            unfinished.write_bytes(data)


@contextlib.contextmanager
def written_whole(path):
    """A path beside another one, whose folder is made; what a `with` block writes there gets that name at its end.

    Where the block raises, it is removed.

    Example:
        >>> with written_whole(Path("scan.dcm")) as unfinished:
        ...     unfinished.write_bytes(data)
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{_unfinished_prefix(path)}{uuid.uuid4().hex}.part")
    try:
        yield unfinished
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def remove_unfinished(path):
    """Remove what `written_whole` left beside a path where its process was killed; no other may be writing there."""
    path = pathlib.Path(path)
    for unfinished in path.parent.glob(f"{_unfinished_prefix(path)}*.part"):
        unfinished.unlink(missing_ok=True)


def _unfinished_prefix(path):
    """Of a fixed length, since the file's own name may be as long as the file system allows."""
    return f".{uuid.uuid5(uuid.NAMESPACE_URL, ascii(path.name)).hex[:12]}-"


def encode_image(pixels, suffix, alpha=None):
    """Encode a picture.

    | suffix | bits | alpha | loss |
    |---|---|---|---|
    | .png, .tif, .tiff | 8, 16 | kept | none |
    | .webp | 8 (16 are rounded) | kept | none: lossy WebP always halves the resolution of colour |
    | .jpg, .jpeg | 8 (16 are rounded) | composed onto white | quality 95, colour at full resolution |

    Args:
        pixels: uint8 or uint16, (H, W) gray or (H, W, 3) in R, G, B order. Gray with alpha is stored as RGB with
            alpha.
        suffix: ".png" and so on, in any case.
        alpha: (H, W) of the same dtype, or None.

    Returns:
        bytes.

    Raises:
        ImageError: unknown suffix, another type or shape of pixels, or more pixels than the format can hold.
    """
    encode = _ENCODERS.get(suffix.lower())
    if encode is None:
        raise ImageError(f"Pictures cannot be written as {suffix!r}. Choose from {', '.join(WRITABLE_SUFFIXES)}.")
    pixels, alpha = _checked(pixels, alpha)
    try:
        return encode(pixels, alpha)
    except (cv2.error, OSError, ValueError) as error:
        height, width = pixels.shape[:2]
        raise ImageError(f"A picture of {width} x {height} cannot be written as {suffix}: {error}") from error


def _checked(pixels, alpha):
    """The pixels as an array, and the alpha.

    Raises:
        ImageError: their types or shapes are others than a picture has.
    """
    pixels = np.asarray(pixels)
    if pixels.dtype not in (np.uint8, np.uint16) or pixels.ndim not in (2, 3) or pixels.shape[2:] not in ((), (3,)):
        raise ImageError(
            "Pixels must be uint8 or uint16, (H, W) or (H, W, 3). "
            f"Received: dtype={pixels.dtype}, shape={pixels.shape}."
        )
    if alpha is not None and (alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]):
        raise ImageError(
            f"`alpha` must be {pixels.dtype} {pixels.shape[:2]} like the pixels. "
            f"Received: dtype={alpha.dtype}, shape={alpha.shape}."
        )
    return pixels, alpha


def _encode_png(pixels, alpha):
    return _encode_with_opencv(".png", _join(pixels, alpha), [])


def _encode_tiff(pixels, alpha):
    file = io.BytesIO()
    _save_tiff(file, pixels, alpha)
    return file.getvalue()


def _save_tiff(file, pixels, alpha):
    """To a path or a binary file."""
    import tifffile  # here, since it takes long to import and packing never writes pictures

    tifffile.imwrite(file, **tiff_page(pixels, alpha))


def tiff_page(pixels, alpha):
    """What tifffile is to write of a picture, losslessly compressed.

    Args:
        pixels: uint8 or uint16, (H, W) or (H, W, 3).
        alpha: (H, W) of the same dtype, or None.

    Returns:
        dict of arguments of `tifffile.imwrite` or `tifffile.TiffWriter.write`.
    """
    joined = _join(pixels, alpha)
    return {
        "data": joined,
        "photometric": "minisblack" if joined.ndim == 2 else "rgb",
        "extrasamples": None if alpha is None else ["unassalpha"],
        "compression": "zlib",
    }


def _encode_webp(pixels, alpha):
    pixels, alpha = to_8_bits(pixels), None if alpha is None else to_8_bits(alpha)
    return _encode_with_opencv(".webp", _join(pixels, alpha), [cv2.IMWRITE_WEBP_QUALITY, _WEBP_LOSSLESS])


def _encode_jpeg(pixels, alpha):
    pixels, alpha = to_8_bits(pixels), None if alpha is None else to_8_bits(alpha)
    if alpha is not None:
        opacity = alpha.astype(np.float32) / 255
        opacity = opacity if pixels.ndim == 2 else opacity[..., None]
        pixels = np.rint(pixels * opacity + 255 * (1 - opacity)).astype(np.uint8)
    options = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY]
    options += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
    return _encode_with_opencv(".jpg", pixels, options)


_ENCODERS = {
    ".jpeg": _encode_jpeg,
    ".jpg": _encode_jpeg,
    ".png": _encode_png,
    ".tif": _encode_tiff,
    ".tiff": _encode_tiff,
    ".webp": _encode_webp,
}
WRITABLE_SUFFIXES = tuple(sorted(_ENCODERS))


def _join(pixels, alpha):
    """Pixels and alpha as one array (H, W), (H, W, 3) or (H, W, 4)."""
    if alpha is None:
        return pixels
    colors = pixels if pixels.ndim == 3 else np.repeat(pixels[..., None], 3, axis=-1)
    return np.dstack([colors, alpha])


def _encode_with_opencv(suffix, pixels, options):
    """`pixels` (H, W), or (H, W, 3 or 4) in R, G, B, alpha order."""
    if pixels.ndim == 3:
        order = cv2.COLOR_RGB2BGR if pixels.shape[-1] == 3 else cv2.COLOR_RGBA2BGRA
        pixels = cv2.cvtColor(pixels, order)
    with opencv_silenced():
        done, encoded = cv2.imencode(suffix, pixels, options)
    if not done:
        raise ValueError("it is too large for the format")
    return encoded.tobytes()
