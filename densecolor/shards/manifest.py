"""`manifest.json`: every shard of a packed folder with its count and SHA-256, the classes and the options.

The manifest is written last, so a packed folder without one is an unfinished one.
"""

import dataclasses
import hashlib
import json
from pathlib import Path

import densecolor
from densecolor.atomic import write_atomically
from densecolor.errors import ShardError
from densecolor.shards.schema import FORMAT
from densecolor.shards.schema import FORMAT_VERSION

MANIFEST_NAME = "manifest.json"


@dataclasses.dataclass(frozen=True)
class ShardInfo:
    """One shard as the manifest lists it."""

    name: str
    split: str
    count: int  # images
    bytes: int  # size of the file
    sha256: str

    @classmethod
    def of(cls, path, split, count):
        """What the manifest says of a shard that is finished."""
        path = Path(path)
        return cls(path.name, split, count, path.stat().st_size, sha256_of(path))


@dataclasses.dataclass(frozen=True)
class Manifest:
    """All that is known of a packed folder without opening a shard."""

    image_size: int  # side in pixels
    class_names: list  # in label order; empty where the source has no classes
    options: dict  # the packing options
    shards: list  # of ShardInfo, in order of name
    rejected: int  # inputs that were not packed; rejected.csv says why
    origin: str = ""  # stands for where source and masks lay, to tell another packing; empty where it is unknown

    def count(self, split=None):
        """The number of packed images, of one split or of all."""
        return sum(shard.count for shard in self.shards if split in (None, shard.split))

    @property
    def splits(self):
        """The splits that hold images, in the order of the shards."""
        return list(dict.fromkeys(shard.split for shard in self.shards if shard.count))


def write_manifest(folder, manifest):
    """Write `manifest.json` into a packed folder, atomically.

    Returns:
        Path of the file.
    """
    totals = {split: manifest.count(split) for split in manifest.splits}
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "densecolor_version": densecolor.__version__,
        **dataclasses.asdict(manifest),
        "totals": {"packed": manifest.count(), "rejected": manifest.rejected, **totals},
    }
    path = Path(folder) / MANIFEST_NAME
    write_atomically(path, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    return path


def read_manifest(folder):
    """Read the manifest of a packed folder.

    Raises:
        FileNotFoundError: there is no such folder.
        ShardError: it is a file, or the folder has no manifest, or one that is damaged, foreign or of a newer version.
    """
    folder = Path(folder)
    path = folder / MANIFEST_NAME
    if folder.is_file():
        raise ShardError(f"{folder} is a file, not a packed folder. Name the folder that densecolor-pack made.")
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no packed folder {folder}. Make it with densecolor-pack.")
    if not path.is_file():
        raise ShardError(
            f"{folder} has no {MANIFEST_NAME}: it is not packed, or packing did not finish. Pack it with "
            "densecolor-pack, or give the command that packed it again."
        )
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        check_format(path, document.get("format"), document.get("format_version"))
        return Manifest(
            image_size=int(document["image_size"]),
            class_names=list(document["class_names"]),
            options=dict(document["options"]),
            shards=[ShardInfo(**shard) for shard in document["shards"]],
            rejected=int(document["rejected"]),
            origin=str(document.get("origin", "")),
        )
    except ShardError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ShardError(f"{path} is damaged ({error!r}). Pack again.") from None


def check_format(path, name, version):
    """Raise ShardError, naming `path`, unless format name and version are ones that this version reads."""
    if name != FORMAT:
        raise ShardError(f"{path} was not written by densecolor: format={name!r}, expected {FORMAT!r}.")
    if not 1 <= version <= FORMAT_VERSION:
        raise ShardError(
            f"{path} has format version {version}; this densecolor ({densecolor.__version__}) reads up to "
            f"{FORMAT_VERSION}. Upgrade densecolor."
        )


def sha256_of(path):
    """The SHA-256 of a file, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
