"""Embeddings beside the shards: what a frozen network says of each packed picture, one HDF5 file a shard.

`train-00000-of-00012.embedding-vgg16.h5` holds `embedding`, float16 or float32 (N, D), in the shard's order. Attributes
bind it to the shard (its SHA-256) and to the network (which, its weights' SHA-256, the side that it saw, which of its
outputs). Every row has a checksum.
"""

import dataclasses
import functools
import io
from pathlib import Path

import h5py
import numpy as np

import densecolor
from densecolor.atomic import write_atomically
from densecolor.errors import ShardError
from densecolor.interruption import DeferredInterrupt
from densecolor.shards.manifest import read_manifest
from densecolor.shards.open_files import OpenFiles

FORMAT = "densecolor-embedding"
FORMAT_VERSION = 1
DTYPES = ("float16", "float32")
_INFIX = ".embedding-"
_AGAIN = "Make it again with densecolor-embed."


@dataclasses.dataclass(frozen=True)
class EmbeddingInfo:
    """Which network made an embedding, and how."""

    branch: str  # a name of `densecolor.models.BRANCHES`
    branch_size: int  # side in pixels that the network saw
    embedding: str  # "logits" or "pooled"
    weights_sha256: str  # of the network's weights

    def __str__(self):
        return f"{self.embedding} of {self.branch} at {self.branch_size} with weights {self.weights_sha256[:12]}"


def embedding_path(shard_path, branch):
    """The file of a shard's embeddings.

    Example:
        >>> embedding_path("packed/train-00000-of-00012.h5", "vgg16").name
        'train-00000-of-00012.embedding-vgg16.h5'
    """
    shard_path = Path(shard_path)
    return shard_path.with_name(f"{shard_path.stem}{_INFIX}{branch}.h5")


def shard_of_embedding(path):
    """The name of the shard that a file of embeddings stands beside; None for other files."""
    stem, infix, _ = Path(path).name.partition(_INFIX)
    return f"{stem}.h5" if infix else None


def write_embedding(path, values, info, shard_sha256):
    """Write the embeddings of one shard; the file appears whole or not at all.

    Args:
        path: `embedding_path(...)`.
        values: float16 or float32 (N, D), in the shard's order.
        info: EmbeddingInfo.
        shard_sha256: of the shard, as the manifest has it.
    """
    buffer = io.BytesIO()
    with DeferredInterrupt(), h5py.File(buffer, "w") as file:
        attributes = {"format": FORMAT, "format_version": FORMAT_VERSION, "shard_sha256": shard_sha256}
        file.attrs.update(attributes | dataclasses.asdict(info) | {"densecolor_version": densecolor.__version__})
        file.create_dataset("embedding", data=values, chunks=(1, values.shape[1]), fletcher32=True)
    write_atomically(path, buffer.getvalue())


class EmbeddingFile:
    """The open embeddings of one shard.

    Args:
        path: the file.
        shard: ShardInfo of the shard that it must belong to.

    Attributes:
        info: EmbeddingInfo.
        width: D, values a picture.

    Raises:
        FileNotFoundError: there is no such file.
        ShardError: it is damaged, foreign or of a newer version, or belongs to another shard.
    """

    def __init__(self, path, shard):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(f"There is no {self.path}. Make it with densecolor-embed.")
        try:
            self._file = h5py.File(self.path, "r")
            attributes = dict(self._file.attrs)
            fields = {field.name: field.type(attributes[field.name]) for field in dataclasses.fields(EmbeddingInfo)}
            version, shard_sha256 = attributes["format_version"], attributes["shard_sha256"]
            is_link = not isinstance(self._file.get("embedding", getlink=True), h5py.HardLink)
            self._values = self._file["embedding"]
            is_plain = not (is_link or self._values.external or self._values.is_virtual)
            self.width = self._values.shape[1]
            is_whole = is_plain and self._values.dtype in DTYPES and self._values.shape == (shard.count, self.width)
        except (OSError, KeyError, IndexError, AttributeError, TypeError, ValueError, RuntimeError) as error:
            raise ShardError(f"{self.path} is damaged or foreign ({error}). {_AGAIN}") from None
        if attributes.get("format") != FORMAT or not 1 <= version <= FORMAT_VERSION or not is_whole:
            raise ShardError(f"{self.path} is damaged, foreign or of a newer version. {_AGAIN}")
        if shard_sha256 != shard.sha256:
            raise ShardError(f"{self.path} was made of another {shard.name} than the manifest lists. {_AGAIN}")
        self.info = EmbeddingInfo(**fields)

    def read(self, place=slice(None)):
        """The embedding of one picture, float32 (D,), or of all, (N, D).

        Raises:
            ShardError: a checksum is wrong.
        """
        try:
            return self._values[place].astype(np.float32)
        except OSError as error:
            raise ShardError(f"{self.path} is damaged: it cannot be read ({error}). {_AGAIN}") from None


class Embeddings:
    """The embeddings of one split, opened file by file as they are needed; can be pickled.

    Args:
        packed: PackedSplit of a packed folder.
        branch: str, the network that made them.

    Attributes:
        info: EmbeddingInfo, the same for all shards.
        width: D, values a picture.

    Raises:
        FileNotFoundError, ShardError: as `EmbeddingFile`; or `packed` is a single shard, which has no manifest.

    Example:
        >>> Embeddings(open_dataset("packed"), "inception_resnet_v2").read(0, 5).shape
        (1000,)
    """

    def __init__(self, packed, branch):
        folder = packed.paths[0].parent
        self._shards = {shard.name: shard for shard in read_manifest(folder).shards}
        self._paths = packed.paths
        self._files = OpenFiles(functools.partial(_open_file, self._paths, self._shards, branch))
        first = self._files.get(0)
        self.info, self.width = first.info, first.width

    def read(self, number, place):
        """One embedding, float32 (D,), by shard number and place inside it as `PackedSplit.locate` gives them.

        Raises:
            FileNotFoundError, ShardError: as `EmbeddingFile`; or the shards' embeddings were made in different ways.
        """
        file = self._files.get(number)
        if (file.info, file.width) != (self.info, self.width):
            raise ShardError(f"{file.path} holds {file.info}; the split's first file has {self.info}. {_AGAIN}")
        return file.read(place)


def _open_file(paths, shards, branch, number):
    path = paths[number]
    return EmbeddingFile(embedding_path(path, branch), shards[path.name])
