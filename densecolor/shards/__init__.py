"""The shard format: packed Lab pictures in HDF5 files, and the manifest beside them.

`schema` says what a shard holds, `writer` makes one, `reader` opens one, `packed` opens a folder of them by its
`manifest`, and `embedding` holds what a frozen network says of its pictures. `verify` finds what is damaged in a
folder, and `merge` makes one folder of several. `h5data/README.md` describes the format for readers in other languages.
"""

from densecolor.shards.embedding import Embeddings
from densecolor.shards.manifest import Manifest
from densecolor.shards.manifest import ShardInfo
from densecolor.shards.manifest import read_manifest
from densecolor.shards.manifest import sha256_of
from densecolor.shards.manifest import write_manifest
from densecolor.shards.merge import merge
from densecolor.shards.packed import PackedSplit
from densecolor.shards.packed import describe
from densecolor.shards.packed import open_dataset
from densecolor.shards.reader import Shard
from densecolor.shards.reader import open_shard
from densecolor.shards.rejected import REJECTED_NAME
from densecolor.shards.rejected import read_rejected
from densecolor.shards.rejected import write_rejected_rows
from densecolor.shards.schema import COMPRESSIONS
from densecolor.shards.schema import SPLITS
from densecolor.shards.schema import shard_name
from densecolor.shards.verify import verify
from densecolor.shards.writer import ShardWriter

__all__ = [
    "COMPRESSIONS",
    "REJECTED_NAME",
    "SPLITS",
    "Embeddings",
    "Manifest",
    "PackedSplit",
    "Shard",
    "ShardInfo",
    "ShardWriter",
    "describe",
    "merge",
    "open_dataset",
    "open_shard",
    "read_manifest",
    "read_rejected",
    "sha256_of",
    "shard_name",
    "verify",
    "write_manifest",
    "write_rejected_rows",
]
