"""Read and write pictures: upright, in sRGB, 8 or 16 bits, with clear errors for what is broken."""

from densecolor.image_io.display import shrink
from densecolor.image_io.display import to_8_bits
from densecolor.image_io.display import to_rgb8
from densecolor.image_io.find import find_images
from densecolor.image_io.find import find_images_by_name
from densecolor.image_io.find import find_images_with_names
from densecolor.image_io.read import DEFAULT_MAX_PIXELS
from densecolor.image_io.read import IMAGE_SUFFIXES
from densecolor.image_io.read import Picture
from densecolor.image_io.read import decode_image
from densecolor.image_io.read import read_image
from densecolor.image_io.write import WRITABLE_SUFFIXES
from densecolor.image_io.write import encode_image
from densecolor.image_io.write import remove_unfinished
from densecolor.image_io.write import write_image

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "WRITABLE_SUFFIXES",
    "Picture",
    "decode_image",
    "encode_image",
    "find_images",
    "find_images_by_name",
    "find_images_with_names",
    "read_image",
    "remove_unfinished",
    "shrink",
    "to_8_bits",
    "to_rgb8",
    "write_image",
]
