"""From pictures to shards: `pack` is all that most callers need.

`sources` lists the pictures, `plan` gives each its split and shard, `encoder` does the work on a few of them,
`executors` runs it in one process or many, `packer` puts the results into shards.
"""

from densecolor.packing.packer import PackResult
from densecolor.packing.packer import pack
from densecolor.packing.sources import LAYOUTS
from densecolor.packing.sources import open_source

__all__ = ["LAYOUTS", "PackResult", "open_source", "pack"]
