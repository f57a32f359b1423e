"""Open whatever a path is."""

import tarfile
import zipfile

from densecolor.errors import SourceError
from densecolor.packing.files.folder import FolderFiles
from densecolor.packing.files.tar import TarFiles
from densecolor.packing.files.zip import ZipFiles

COMPRESSED = {b"\x1f\x8b": "gunzip", b"BZh": "bunzip2", b"\xfd7zXZ": "unxz", b"\x28\xb5\x2f\xfd": "unzstd"}


def open_files(path):
    """The files in a folder or an archive.

    Args:
        path: `pathlib.Path`, of something that exists.

    Returns:
        FolderFiles, ZipFiles or TarFiles; None where it is a file of another kind.

    Raises:
        SourceError: it is a compressed tar, in which no file can be read without all before it.
    """
    if path.is_dir():
        return FolderFiles(path)
    with open(path, "rb") as file:
        start = file.read(6)
    for signature, command in COMPRESSED.items():
        if start.startswith(signature):
            raise SourceError(f"{path} is compressed as a whole. Decompress it first: {command} -k {path.name}")
    if tarfile.is_tarfile(path):  # before zip, which is told by its end: a tar may end with one
        return TarFiles(path)
    return ZipFiles(path) if zipfile.is_zipfile(path) else None
